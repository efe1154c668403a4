import json
import runpy
from pathlib import Path

PROGRAM = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "fairness_bootstrap.py"))


def test_every_measurement_runs_on_a_small_world(capsys):
    for name in PROGRAM["MEASUREMENTS"]:
        PROGRAM["main"](["--measure", name, "--comparisons", "4000", "--people", "60", "--many-people", "500",
                         "--rounds", "5", "--json"])  # fmt: skip
        found = json.loads(capsys.readouterr().out)
        assert 0 < found["seconds"] < 60
        assert found["people"] == (500 if name == "many people" else 60)
