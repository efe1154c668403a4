"""A listed photograph that is there in another format only: whichever list names it, the error's one line says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fairface.data import image_kinds
from fairface.data.encoded import FileDataset
from fairface.data.images import encode_png, read_bytes
from fairface.data.listfile import ListDataset
from fairface.data.other_formats import other_format_hint
from fairface.data.packing.csv_list import plan_csv
from fairface.data.packing.lst import plan_lst
from fairface.data.packing.names import plan_names
from fairface.data.packing.plan import Plan
from fairface.data.packing.recordio import PackOptions, encoded_photos
from fairface.errors import DataError
from fairface.evaluation.embedded_pairs import embedded_pairs
from fairface.evaluation.scored_pairs import PairSource
from fairface.protocols.pair_template import photographs_by_id, read_pair_template
from fairface.protocols.verification_set import open_verification_set

PHOTO = encode_png(np.full((8, 8, 3), 7, np.uint8))
LFW = "ann\t1\t2\nann\t1\tbo\t1\n"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which pillow-heif is not installed, whatever this one has."""
    monkeypatch.setattr(image_kinds, "find_spec", lambda name: None)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two people whose photographs are called as LFW's are; the third photograph is the one that other tests rename."""
    for name in ("ann/ann_0001.jpg", "ann/ann_0002.jpg", "bo/bo_0001.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PHOTO)
    return tmp_path


def packed(plan: Plan) -> None:
    list(encoded_photos(plan.photos, PackOptions(8, workers=1)))


def written(photos: Path, name: str, text: str) -> Path:
    (photos / name).write_text(text)
    return photos / name


IMAGES = ("ann/ann_0001.jpg", "ann/ann_0002.jpg", "bo/bo_0001.jpg")
EXACT: dict[str, Callable[[Path], object]] = {  # these take the very name
    "image list": lambda at: ListDataset(written(at, "l.txt", "".join(f"{name} 0\n" for name in IMAGES))),
    "list of names": lambda at: plan_names(written(at, "l.txt", "".join(f"{name}\n" for name in IMAGES)), at),
    "list of insightface": lambda at: packed(plan_lst(written(at, "l.lst", "".join(f"1\t{n}\t0\n" for n in IMAGES)))),
    "list of im2rec": lambda at: packed(plan_lst(written(at, "l.lst", "".join(f"0\t1\t{n}\n" for n in IMAGES)))),
    "CSV to pack": lambda at: packed(
        plan_csv(written(at, "l.csv", "image,identity\n" + "".join(f"{name},x\n" for name in IMAGES)))
    ),
    "images of a set": lambda at: FileDataset(at, IMAGES),
    "one photograph": lambda at: read_bytes(at / IMAGES[2]),
}
PAIRS: dict[str, Callable[[Path], object]] = {  # these find formats that can be read by themselves
    "CSV of pairs": lambda at: open_verification_set(
        written(at, "p.csv", f"image_a,image_b,same\n{IMAGES[0]},{IMAGES[1]},1\n{IMAGES[0]},{IMAGES[2]},0\n")
    ),
    "lines of two paths": lambda at: open_verification_set(
        written(at, "p.txt", f"{IMAGES[0]} {IMAGES[1]} 1\n{IMAGES[0]} {IMAGES[2]} 0\n")
    ),
    "pairs.txt": lambda at: embedded_pairs(PairSource(str(written(at, "pairs.txt", LFW))), embed),
    "pairs.csv of Kaggle": lambda at: embedded_pairs(
        PairSource(str(written(at, "pairs.csv", "name,imagenum1,imagenum2,\n" + LFW.replace("\t", ",")))), embed
    ),
}


def embed(images: object) -> np.ndarray:
    return np.eye(3, dtype=np.float32)


def error_of(road: Callable[[Path], object], at: Path) -> str:
    with pytest.raises(DataError) as caught:
        road(at)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".JPG", ".png", ".jfif", ".WebP"])
@pytest.mark.parametrize("road", EXACT.values(), ids=EXACT.keys())
def test_a_format_that_can_be_read(photos: Path, road: Callable[[Path], object], suffix: str) -> None:
    (photos / IMAGES[2]).rename((photos / IMAGES[2]).with_suffix(suffix))
    said = error_of(road, photos)
    assert f"bo/bo_0001{suffix} is there instead of " in said
    assert "bo/bo_0001.jpg: name the files in the list as they are called; " in said
    assert "pip" not in said


@pytest.mark.parametrize(
    ("suffix", "remedy"), [(".heic", "to read HEIC, or save them as JPEG; "), (".GIF", "save .gif as JPEG or PNG; ")]
)
@pytest.mark.parametrize("road", [*EXACT.values(), *PAIRS.values()], ids=[*EXACT.keys(), *PAIRS.keys()])
@pytest.mark.usefixtures("without")
def test_a_format_that_cannot_be_read(photos: Path, road: Callable[[Path], object], suffix: str, remedy: str) -> None:
    (photos / IMAGES[2]).rename((photos / IMAGES[2]).with_suffix(suffix))
    said = error_of(road, photos)
    assert f"bo/bo_0001{suffix} is there instead of " in said
    assert remedy in said


@pytest.mark.parametrize("road", PAIRS.values(), ids=PAIRS.keys())
def test_pairs_find_what_can_be_read_unless_there_are_two(photos: Path, road: Callable[[Path], object]) -> None:
    (photos / IMAGES[2]).rename((photos / IMAGES[2]).with_suffix(".PNG"))
    road(photos)
    (photos / IMAGES[2]).with_suffix(".webp").write_bytes(PHOTO)
    said = error_of(road, photos)
    assert "is there instead of bo/bo_0001.jpg: name the files in the list as they are called; " in said


@pytest.mark.parametrize("road", [*EXACT.values(), *PAIRS.values()], ids=[*EXACT.keys(), *PAIRS.keys()])
def test_nothing_is_said_where_nothing_is_there(photos: Path, road: Callable[[Path], object]) -> None:
    (photos / IMAGES[2]).unlink()
    (photos / "bo" / "bo_0001.txt").write_text("no photograph")
    (photos / "bo" / "bo_00012.png").write_bytes(PHOTO)
    assert "instead" not in error_of(road, photos)


def test_a_list_that_leaves_them_out_says_it_too(photos: Path) -> None:
    (photos / IMAGES[2]).rename((photos / IMAGES[2]).with_suffix(".png"))
    names = written(photos, "l.txt", "".join(f"{name} 0\n" for name in IMAGES))
    (note,) = ListDataset(names, on_missing="skip").notes
    assert "bo/bo_0001.png is there instead of " in note
    assert note.endswith("bo/bo_0001.jpg: name the files in the list as they are called")


@pytest.mark.usefixtures("without")
def test_many_are_counted_and_one_that_can_be_read_goes_first(tmp_path: Path) -> None:
    for name in ("a.heic", "a.png", "b.c.heif", "d.gif", "e.txt"):
        (tmp_path / name).write_bytes(b"x")
    said = other_format_hint(tmp_path, ["x.jpg", "none/y.jpg", "a.jpg", "b.c.jpg", "d.jpg", "e.jpg"])
    assert said.startswith("a.png and 2 more of another format are there instead of a.jpg: name the files")
    assert "to read HEIC, or save them as JPEG; save .gif as JPEG or PNG; " in said
    assert other_format_hint(tmp_path, []) == other_format_hint(tmp_path, ["e.jpg"]) == ""


@pytest.mark.usefixtures("without")
def test_ids_of_a_template(photos: Path) -> None:
    (photos / IMAGES[2]).rename((photos / IMAGES[2]).with_suffix(".heic"))
    template = read_pair_template(written(photos, "t.csv", "ID1,ID2,SCORE\nann_0001,bo_0001,0\nann_0001,cy_0001,0\n"))
    with pytest.raises(DataError, match=r"2 of 3 ids have no photo.*; bo/bo_0001\.heic cannot be read here: .*pip"):
        photographs_by_id(template, photos)
