"""Every program that writes data leaves what is there alone unless it is told to replace it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from fairface.errors import DataError
from unittests.training.helpers import make_people


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four people, a list of their photographs, one with labels, one of pairs."""
    people = make_people(tmp_path / "people", images=2)
    names = sorted(str(path.relative_to(tmp_path)) for path in people.glob("*/*.png"))
    (tmp_path / "list.txt").write_text("\n".join(names) + "\n")
    (tmp_path / "labels.txt").write_text("".join(f"{name} 1\n" for name in names))
    (tmp_path / "tfr.index").write_text("".join(f"{name}\t0\t0\n" for name in names))
    rows = [f"{names[0]},{names[1]},1", f"{names[0]},{names[2]},0"]
    (tmp_path / "pairs.csv").write_text("\n".join(["image_a,image_b,same", *rows, ""]))
    return tmp_path


CASES = (
    ("face2rec2", ("people", "--output", "out", "--size", "32"), "out/train.rec"),
    ("merge_sets", ("people", "--output", "out", "--size", "32"), "out/train.rec"),
    ("img2tfrecord", ("--img_list", "list.txt", "--tfrecords_name", "out", "--size", "32"), "out/out.index"),
    ("make_bin", ("pairs.csv", "--output", "out.bin", "--size", "32"), "out.bin"),
    ("mask_bin", ("pairs.csv", "--output", "out.bin", "--size", "32"), "out.bin"),
    ("convert_new_index", ("--old", "labels.txt", "--tfr_index", "tfr.index", "--new", "new.index"), "new.index"),
)


@pytest.mark.parametrize(("name", "words", "made"), CASES, ids=[case[0] for case in CASES])
def test_what_is_there_stays_unless_told(
    data: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: tuple[str, ...], made: str
) -> None:
    monkeypatch.chdir(data)
    main = import_module(f"fairface.programs.{name}").main
    main([*words, "--quiet"])
    whole = (data / made).read_bytes()
    (data / made).write_bytes(b"mine")
    with pytest.raises(DataError, match=rf"{made}: is there already; .*--overwrite") as caught:
        main([*words, "--quiet"])
    assert "\n" not in str(caught.value)
    assert (data / made).read_bytes() == b"mine"
    main([*words, "--quiet", "--overwrite"])
    assert (data / made).read_bytes() == whole
