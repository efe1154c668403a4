"""One folder out of several: what is counted, and what may not be there."""

import pytest

from fairface.data.packing.compound import compound
from fairface.errors import DataError
from unittests.data.builders import folder_of_identities, images


def test_one_set_shares_nobody_and_that_is_no_warning(tmp_path):
    built = folder_of_identities(tmp_path, images())
    done = compound([built.path], tmp_path / "out")
    assert (done.shared, done.identities, done.notes) == (0, 3, ())
    with pytest.raises(DataError, match=r"1 file there is in none of the data sets: .*; remove them or choose"):
        (tmp_path / "out" / "note.txt").touch()
        compound([built.path], tmp_path / "out")


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " …")])
def test_files_of_other_sets_are_counted_and_named(tmp_path, count, more):
    built = folder_of_identities(tmp_path, images())
    (tmp_path / "out" / "x").mkdir(parents=True)
    for i in range(count):
        (tmp_path / "out" / "x" / f"{i}").touch()
    (tmp_path / "out" / "x" / "9.part").touch()
    with pytest.raises(DataError) as caught:
        compound([built.path], tmp_path / "out")
    shown = ", ".join(f"x/{i}" for i in range(5))
    said = f"{count} files there are in none of the data sets: {shown}{more}; remove them or choose another folder"
    assert str(caught.value) == f"{tmp_path / 'out'}: {said}"


def test_an_output_that_cannot_be_written(tmp_path, monkeypatch):
    built = folder_of_identities(tmp_path, images())

    def refuse(source, target):
        raise OSError(28, "No space left on device", target)

    monkeypatch.setattr("os.symlink", refuse)
    with pytest.raises(DataError, match=r"out/.*: cannot be written \(No space left on device\); free space or choose"):
        compound([built.path], tmp_path / "out")
