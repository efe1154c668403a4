"""Which files are read, and that none of the others vanishes without a word, whichever program walks the folder."""

import importlib.util
import sys
import types

import cv2
import numpy as np
import pytest

from fairface.data import image_kinds
from fairface.data.folder import FolderDataset
from fairface.data.formats import OpenOptions
from fairface.data.image_kinds import HEIC_SUFFIXES, LeftOut, readable_suffixes
from fairface.data.images import decode, encode_jpeg, encode_png
from fairface.data.inspection.dataset import inspect
from fairface.data.packing.compound import compound
from fairface.data.packing.plan import plan_folder
from fairface.errors import DataError
from fairface.faces.align_report import FAILURES, NO_FACE, UNREADABLE
from fairface.faces.align_settings import SETTINGS
from fairface.faces.folder import LANDMARKS
from fairface.faces.masks.log import LOG
from fairface.faces.photographs import list_photographs, read_photograph

HEIC = b"\x00\x00\x00\x18ftypheic" + b"\x00" * 40
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


@pytest.fixture
def pretended(monkeypatch):
    """A module ``pillow_heif`` that finds one picture, (6, 8) with the given channels, in every file."""
    module = types.ModuleType("pillow_heif")
    module.__spec__ = importlib.util.spec_from_loader("pillow_heif", None)
    shown = {"pixels": np.stack([GREY, GREY + 1, GREY + 2], axis=2)}

    def read_heif(file, convert_hdr_to_8bit):
        assert file.read() == HEIC
        assert convert_hdr_to_8bit is True
        if isinstance(shown["pixels"], Exception):
            raise shown["pixels"]
        return shown["pixels"]

    module.read_heif = read_heif
    monkeypatch.setitem(sys.modules, "pillow_heif", module)
    return shown


@pytest.fixture
def without(monkeypatch):
    """A machine on which pillow-heif is not installed, whatever this one has."""
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(image_kinds, "find_spec", lambda name: None)


def people(root, *names):
    """Every name a JPEG, HEIC where the name says so."""
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        jpeg = encode_jpeg(np.full((8, 8, 3), 5 * number, np.uint8))
        (root / name).write_bytes(HEIC if name.lower().endswith("heic") else jpeg)
    return root


def test_plain_jpegs_by_other_names_are_people(tmp_path):
    root = people(tmp_path / "in", "a/1.jpg", "b/1.JFIF", "c/1.jpe", "d/1.JPEG")
    assert FolderDataset(root).identities == ("a", "b", "c", "d")
    assert list_photographs(root) == (["a/1.jpg", "b/1.JFIF", "c/1.jpe", "d/1.JPEG"], ())
    found = inspect(str(root), OpenOptions())
    assert (found.problems, found.to_dict()["images"]) == ((), 4)


def test_every_kind_that_is_read_decodes(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(image, (0, 0), 5)
    for suffix in sorted(image_kinds.IMAGE_SUFFIXES):
        written = {".jfif": ".jpg", ".pgm": ".ppm"}.get(suffix, suffix)  # names that OpenCV does not write
        done, data = cv2.imencode(written, cv2.cvtColor(smooth, cv2.COLOR_RGB2BGR))
        assert done
        (tmp_path / f"x{suffix}").write_bytes(data.tobytes())
        read = read_photograph(tmp_path / f"x{suffix}", "x")
        assert np.abs(read.astype(int) - smooth).mean() < 3, suffix


def test_left_out_photographs_are_told_from_other_files(without):
    found = LeftOut.of(["z/Thumbs.db", "b/2.HEIC", "a/1.gif", "c/", "b/3.cr2", "b/1.heif"])
    assert found.photographs == ("a/1.gif", "b/1.heif", "b/2.HEIC", "b/3.cr2")
    assert found.others == ("c/", "z/Thumbs.db")
    warning, note = found.notes("photos")
    assert warning.startswith("warning: photos: 4 photographs of kinds that cannot be read were left out: a/1.gif, b/1")
    assert "heic]' to read HEIC, or save them as JPEG; save .cr2, .gif as JPEG or PNG" in warning
    assert note == "photos: 2 other files were left out: c/, z/Thumbs.db"
    assert LeftOut.of([]).notes("photos") == ()
    many = LeftOut.of([f"{i:02}.txt" for i in range(11)]).notes("p")[0]
    assert many.endswith("11 other files were left out: " + ", ".join(f"{i:02}.txt" for i in range(10)) + ", …")


def test_what_alignment_and_masks_leave_beside_the_images_is_not_told():
    ours = {SETTINGS, LANDMARKS, NO_FACE, UNREADABLE, FAILURES, LOG}
    assert LeftOut.of(ours).notes("aligned") == ()
    # Only in the folder itself: below it such a name is somebody's own.
    assert LeftOut.of([*ours, "ada/landmarks.csv"]).others == ("ada/landmarks.csv",)


def test_people_whose_photographs_cannot_be_read_are_a_problem(without, tmp_path):
    root = people(tmp_path / "in", "a/1.jpg", "b/1.heic", "a/notes.txt")
    data = FolderDataset(root)
    assert data.identities == ("a",)
    for notes in (data.notes, plan_folder(root).notes, compound([root], tmp_path / "out").notes):
        assert any(note.startswith(f"warning: {root}: 1 photograph of a kind") and "b/1.heic" in note for note in notes)
        assert any("2 other files were left out: a/notes.txt, b/" in note for note in notes)
    unread, empty = inspect(str(root), OpenOptions(), read=False).problems
    assert "b/1.heic" in unread
    assert "pip install" in unread
    assert empty == f"{root}: 1 folder holds no photograph that can be read and is no identity: b/"
    assert inspect(str(root), OpenOptions(zero_is_unlabeled=True), read=False).problems == (unread, empty)
    assert list_photographs(root) == (["a/1.jpg"], ("a/notes.txt", "b/1.heic"))


def test_a_folder_of_heic_alone_says_what_to_install(without, tmp_path):
    root = people(tmp_path / "in", "a/1.heic", "b/2.HEIC")
    for walk in (FolderDataset, list_photographs):
        with pytest.raises(DataError, match=r"2 photographs of kinds .*a/1\.heic, b/2\.HEIC; .*heic\]' to read HEIC"):
            walk(root)
    with pytest.raises(DataError, match=r"x: a HEIC photograph that cannot be read here .*; .*heic\]' to read HEIC"):
        decode(HEIC, "x")


def test_heic_is_read_where_its_package_is(pretended, tmp_path):
    root = people(tmp_path / "in", "a/1.heic", "b/1.HEIC")
    assert readable_suffixes() >= HEIC_SUFFIXES
    data = FolderDataset(root)
    assert (data.identities, data.notes, data.problems) == (("a", "b"), (), ())
    assert np.array_equal(data[1].image, np.stack([GREY, GREY + 1, GREY + 2], axis=2))
    pretended["pixels"] = np.stack([GREY, GREY + 1, GREY + 2, np.full_like(GREY, 9)], axis=2)  # with transparency
    assert np.array_equal(read_photograph(root / "a" / "1.heic", "x"), pretended["pixels"][:, :, :3])
    pretended["pixels"] = GREY
    assert np.array_equal(decode(HEIC, "x"), np.stack([GREY] * 3, axis=2))
    pretended["pixels"] = ValueError("damaged")
    with pytest.raises(DataError, match=r"x: a HEIC photograph that is damaged \(52 bytes\); restore or remove it"):
        decode(HEIC, "x")


def test_png_by_the_name_of_a_jpeg_is_read(tmp_path):
    (tmp_path / "x.jpg").write_bytes(encode_png(np.stack([GREY] * 3, axis=2)))
    assert np.array_equal(read_photograph(tmp_path / "x.jpg", "x"), np.stack([GREY] * 3, axis=2))
