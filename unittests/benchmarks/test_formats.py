"""benchmarks/formats.py on a handful of images."""

import json
import subprocess
import sys


def test_every_format_is_read_and_packed(root, tmp_path):
    program = root / "benchmarks" / "formats.py"
    arguments = ["--images", "40", "--repeats", "2", "--threads", "2", "--folder", str(tmp_path)]
    command = [sys.executable, str(program), *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result["reading"]) == {
        "rec", "tfrecord", "tfrecord, no checksums", "folder", "list", "bin", "memory files",
    }  # fmt: skip
    assert set(result["packing"]) == {"bare decode + encode", "face2rec2", "img2tfrecord"}
    for part in ("reading", "packing"):
        for figures in result[part].values():
            assert 0 < figures["min"] <= figures["median"] <= figures["max"]
            assert 0 < figures["ratio_min"] <= figures["ratio"] <= figures["ratio_max"]
    assert result["reading"]["rec"]["ratio"] == 1
    assert list(tmp_path.iterdir()) == []
