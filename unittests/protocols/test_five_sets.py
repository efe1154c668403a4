"""Which of the five sets a folder holds."""

from pathlib import Path

import pytest

from fairface.data.packing.memory import make_memory_set
from fairface.errors import DataError
from fairface.protocols.five_sets import find_sets, require_sets
from unittests.data.builders import bin_file, images


def place(folder: Path, *names: str) -> Path:
    made = bin_file(folder / "made", images()).path
    for name in names:
        (folder / f"{name}.bin").write_bytes(made.read_bytes())
    return folder


def test_sets_are_found_by_name_and_listed_in_the_order_of_the_tables(tmp_path: Path) -> None:
    place(tmp_path, "agedb_30", "CFP-FP", "lfw", "cfp_ff", "mine")
    make_memory_set(tmp_path / "lfw.bin")
    (tmp_path / "lfw.bin").unlink()
    found = find_sets(tmp_path)
    assert dict(found.paths) == {
        "LFW": tmp_path / "lfw", "CFP-FP": tmp_path / "CFP-FP.bin", "AgeDB-30": tmp_path / "agedb_30.bin",
        "CFP-FF": tmp_path / "cfp_ff.bin",
    }  # fmt: skip
    assert list(found.paths) == ["LFW", "CFP-FP", "AgeDB-30", "CFP-FF"]
    assert (found.missing, found.others) == (("CPLFW", "CALFW"), ("mine",))
    assert found.of_the_five == ("LFW", "CFP-FP", "AgeDB-30")
    assert require_sets(tmp_path) == found


@pytest.mark.parametrize(("names", "what"), [
    ((), r"holds none of lfw\.bin, cfp_fp\.bin, cplfw\.bin, calfw\.bin, agedb_30\.bin, nor memory files of them; name"),
    (("mine", "cfp_ff"), r"nor memory files of them \(it holds CFP-FF, mine\); name their folder"),
])  # fmt: skip
def test_none_of_the_five_is_one_line(tmp_path: Path, names: tuple[str, ...], what: str) -> None:
    with pytest.raises(DataError, match=what):
        require_sets(place(tmp_path, *names))


def test_no_folder_and_two_files_for_one_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: there is no such folder; name the folder with lfw"):
        find_sets(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"LFW\.bin and lfw\.bin are both LFW; remove one"):
        find_sets(place(tmp_path, "lfw", "LFW"))
