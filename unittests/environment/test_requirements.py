"""Bounds and versions, read without any package; compared with the packages that do it properly."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement as Reference
from packaging.specifiers import SpecifierSet

from fairface.environment import SetupError
from fairface.environment.requirements import (
    Requirement,
    locked_requirements,
    missing,
    parse,
    project_requirements,
    release,
)

numbers = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
clauses = st.lists(st.tuples(st.sampled_from(["==", "!=", "<=", ">=", "<", ">"]), numbers).map("".join), max_size=3)


@given(numbers, clauses)
def test_bounds_agree_with_packaging(version, bounds):
    spec = ",".join(bounds)
    assert Requirement("x", spec).met_by(version) == SpecifierSet(spec).contains(version)


@pytest.mark.parametrize(("text", "numbers"), [("1.10.0", (1, 10)), ("2.1+cpu", (2, 1)), ("0", ()), ("x", ())])
def test_release(text, numbers):
    assert release(text) == numbers


def test_unknown_bounds_are_refused():
    with pytest.raises(SetupError, match="numpy"):
        Requirement("numpy", "~=1.2").met_by("1.2")
    with pytest.raises(SetupError, match="not understood"):
        parse("numpy[all] @ file")


def test_project_file_is_read_like_a_toml_reader_does(root):
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = toml.loads((root / "pyproject.toml").read_text())["project"]
    extras = list(project["optional-dependencies"])
    expected = project["dependencies"] + [item for extra in extras for item in project["optional-dependencies"][extra]]
    assert [str(item) for item in project_requirements(root / "pyproject.toml", extras)] == [
        str(parse(item)) for item in expected
    ]


def test_a_list_that_is_not_there(tmp_path):
    (tmp_path / "pyproject.toml").write_text("dependencies = [\n]\n")
    with pytest.raises(SetupError, match="'gpu'"):
        project_requirements(tmp_path / "pyproject.toml", ["gpu"])


def test_lock_lines(root):
    lines = locked_requirements(root / "requirements.lock")
    assert lines
    for line in lines:
        reference = Reference(line)
        assert parse(line).name == reference.name.lower().replace("_", "-").replace(".", "-")
        assert parse(line).bounds == str(reference.specifier)


def versions(**have):
    def version_of(name):
        key = name.replace("-", "_")
        if key not in have:
            raise metadata.PackageNotFoundError(name)
        return have[key]

    return version_of


def test_missing_names_what_lacks_and_what_is_too_new():
    wanted = [Requirement("numpy", ">=1.24.2,<2"), Requirement("mxnet", "==1.9.1"), Requirement("scipy")]
    assert missing(wanted, versions(numpy="2.1.0", scipy="1.0")) == [
        "numpy>=1.24.2,<2 (has numpy 2.1.0)",
        "mxnet==1.9.1 (not installed)",
    ]
    assert missing(wanted, versions(numpy="1.26.4", mxnet="1.9.1", scipy="1.0")) == []


def test_twins_stand_in_for_each_other():
    wanted = [Requirement("mxnet", "==1.9.1"), Requirement("opencv-python-headless", ">=4.11,<5")]
    assert missing(wanted, versions(mxnet_cu112="1.9.1", opencv_python="4.11.0.86")) == []
    assert missing(wanted, versions(mxnet_cu112="1.9.0", opencv_python="5.0")) == [
        "mxnet==1.9.1 (has mxnet-cu112 1.9.0)",
        "opencv-python-headless>=4.11,<5 (has opencv-python 5.0)",
    ]
