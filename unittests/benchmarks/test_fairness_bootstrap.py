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


def test_medians_and_the_ratio_to_a_plain_loop(capsys):
    small = "--comparisons 4000 --people 60 --many-people 500 --rounds 5 --repeats 1 --json"
    PROGRAM["main"](small.split())
    found = json.loads(capsys.readouterr().out)
    results = found["results"]
    assert found["ratio"] == results[PROGRAM["LOOP"]]["seconds"] / results["table"]["seconds"]
    middle = PROGRAM["middle"]([{"seconds": seconds, "people": 2} for seconds in (3.0, 1.0, 2.0)])
    assert middle == {"seconds": 2.0, "people": 2, "range": [1.0, 3.0]}
