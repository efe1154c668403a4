"""The tool that changes code and looks whether tests notice."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fairface.errors import ConfigError

ROOT = Path(__file__).parents[2]
TOOL = ("mutants.py", "mutant_copy.py", "mutations.py")


@pytest.fixture
def mutations(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import mutations

    return mutations


@pytest.fixture
def mutant_copy(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import mutant_copy

    return mutant_copy


def changed(mutations, source):
    return {change.apply(source.encode()).decode() for change in mutations.changes(source.encode())}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a not  in b", {"a in b"}),
        ("a is None", {"a is not None"}),
        ("0 < a <= b", {"0 <= a <= b", "0 < a < b", "1 < a <= b", "(-1) < a <= b"}),
        ("(a  # <\n) < (b)", {"(a  # <\n) <= (b)", "(a  # <\n) >= (b)"}),
        ("a + b * c", {"a - b * c", "a + b / c"}),
        ("a ** b", {"(a * b)"}),
        ("a // b", {"(a * b)"}),
        ("a and b", {"(a or b)", "(a)", "(b)"}),
        ("not a", {"(a)"}),
        ("-a", {"(a)"}),
        ("a[-1]", {"a[(1)]"}),
        ("a = 2", {"a = 3", "a = (1)"}),
        ("a = 0.5", {"a = 0.85"}),
        ("a = True", {"a = False"}),
        ("a = max(b)", {"a = min(b)"}),
        ("a = b.min(c)", {"a = b.max(c)"}),
        ("a = f(b, c, d)", {"a = f(c, b, d)"}),
        ("a = f(*b, c)", set()),
        ("a = hypot(b, c)", set()),
        ("a = b if c else d", {"a = b if (not (c)) else d"}),
        ("if c: raise E", {"if (not (c)): raise E", "if c: pass"}),
        ("a += b", {"pass"}),
        ("f()", {"pass"}),
        ("for a in b: break", {"for a in b: pass"}),
        ("ä = 'ö' < b", {"ä = 'ö' <= b", "ä = 'ö' >= b"}),
    ],
)  # fmt: skip
def test_changes_of_a_line(mutations, source, expected):
    assert changed(mutations, source) == expected


def test_what_changes_no_result_is_left_alone(mutations):
    source = '"""Text."""\n@f(frozen=True)\ndef g(a: int | None, b: "x" = "y") -> A[1]:\n  return zip(a, strict=True)\n'
    assert changed(mutations, source) == set()
    assert changed(mutations, "a: B[1] = 'x'") == set()


def test_every_change_of_a_real_file_parses_and_is_another_program(mutations):
    source = (ROOT / "fairface" / "scoring" / "roc.py").read_bytes()
    found = mutations.changes(source)
    assert len(found) > 50
    for change in found:
        assert source[change.start : change.end].decode() == change.before
        assert ast.dump(ast.parse(change.apply(source))) != ast.dump(ast.parse(source))
        line = source.decode().splitlines()[change.line - 1]
        assert change.before.splitlines()[0] in line or change.before.count("\n")


def test_the_nearest_tests_come_first(mutant_copy):
    tests = mutant_copy.tests_of(ROOT, "fairface/scoring/fairness/rounds.py")
    assert tests[0] == "unittests/scoring/fairness/test_rounds.py"
    near = [name for name in tests if "/fairness/" in name]
    assert tests[: len(near)] == (tests[0], *sorted(near[1:]))
    assert "unittests/scoring/test_roc.py" in tests
    assert mutant_copy.tests_of(ROOT, "fairface/files.py") == (
        "unittests/test_files.py", "unittests/test_files_whole.py",
    )  # fmt: skip
    assert mutant_copy.tests_of(ROOT, "fairface/cli.py") == ("unittests/test_errors_cli.py",)
    assert mutant_copy.tests_of(ROOT, "fairface/no_such_file.py") == ()
    with pytest.raises(ConfigError, match="no tests in unittests/ mirror it"):
        mutant_copy.tests_of(ROOT, "train/train.py")


@pytest.fixture
def checkout(tmp_path):
    """A checkout with the tool, one package and its tests: a function that is tested, one that is not."""
    for name in TOOL:
        (tmp_path / "scripts").mkdir(exist_ok=True)
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts" / name)
    for folder in ("fairface/sums", "unittests/sums"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "fairface/sums/add.py").write_text(
        "def add(a, b):\n    return a + b\n\n\ndef forgotten(a, b):\n    return a * b\n\n\n"
        "def same(a):\n    return a - a\n"
    )
    (tmp_path / "unittests/sums/test_add.py").write_text(
        "from fairface.sums.add import add, same\n\n\n"
        "def test_add():\n    assert add(2, 1) == 3\n    assert same(0) == 0\n"
    )
    (tmp_path / "unittests/equivalent_changes.yaml").write_text(
        "- {file: fairface/sums/add.py, line: return a - a, before: a - a, after: a + a, why: it is called with 0}\n"
    )
    (tmp_path / "fairface/alone.py").write_text("def alone(a):\n    return a // a\n")
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


def start(checkout, *arguments):
    command = [sys.executable, str(checkout / "scripts" / "mutants.py"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def test_a_run_tells_noticed_changes_from_others_and_leaves_the_checkout_alone(checkout):
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    done = start(checkout, "fairface/sums", "--json", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    outcomes = {(item["line"], item["before"], item["after"]): item["outcome"] for item in result["results"]}
    assert outcomes == {
        (2, "a + b", "a - b"): "noticed",
        (6, "a * b", "a / b"): "survived",
        (10, "a - a", "a + a"): "equivalent",
    }
    assert {key: result[key] for key in ("seed", "changes", "noticed", "equivalent")} == {
        "seed": 0, "changes": 2, "noticed": 1, "equivalent": 1,
    }  # fmt: skip
    assert {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()} == before


def test_tests_that_take_too_long_are_stopped(checkout, mutant_copy, mutations, tmp_path):
    (checkout / "unittests/sums/test_add.py").write_text("import time\n\n\ndef test_add():\n    time.sleep(600)\n")
    copy = mutant_copy.Copy(checkout, tmp_path / "copy")
    (change,) = [c for c in mutations.changes((checkout / "fairface/sums/add.py").read_bytes()) if c.line == 6]
    assert copy.attempt("fairface/sums/add.py", change, ("unittests/sums/test_add.py",), 0.1) == "timeout"
    assert (tmp_path / "copy/fairface/sums/add.py").read_bytes() == (checkout / "fairface/sums/add.py").read_bytes()


def test_known_changes_of_lines_that_are_gone_are_told(checkout):
    (checkout / "fairface/sums/add.py").write_text("def add(a, b):\n    return a + b\n")
    told = "unittests/equivalent_changes.yaml: fairface/sums/add.py has no line 'return a - a' any more; take it out\n"
    assert start(checkout, "fairface/sums", "--list").stderr == told


def test_the_table_names_what_survived(checkout):
    done = start(checkout, "fairface")
    lines = done.stdout.splitlines()
    assert lines[2].split() == ["fairface/alone.py:2", "a", "//", "a", "(a", "*", "a)"]  # it has no tests
    assert lines[3].split() == ["fairface/sums/add.py:6", "a", "*", "b", "a", "/", "b"]
    assert lines[4:] == ["seed 0: 1 of 3 changes noticed (33%); 1 more change nothing"]


def test_the_seed_makes_the_sample(checkout):
    drawn = [start(checkout, "fairface", "--list", "--count", "2", "--seed", seed).stdout for seed in "0012"]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1
    assert all(len(text.splitlines()) == 2 + 2 for text in drawn)


def test_tests_that_fail_unchanged_and_wrong_paths_are_errors(checkout):
    (checkout / "unittests/sums/test_add.py").write_text("def test_add():\n    assert False\n")
    done = start(checkout, "fairface/sums")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unittests/sums/test_add.py and its neighbours fail without any change" in done.stderr
    done = start(checkout, "nothing_here")
    assert done.returncode == 2
    assert done.stderr.startswith("error: nothing_here: holds no Python file of ")
