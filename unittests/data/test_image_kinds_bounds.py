"""Files that are left out or bear another name, and files read at any place."""

import pytest

from fairface.data.image_kinds import LeftOut, suffix_of, unread_remedies
from fairface.data.other_formats import other_format_hint
from fairface.data.pread_file import PreadFile
from fairface.errors import DataError


@pytest.mark.parametrize(("count", "more"), [(10, ""), (11, ", …")])
def test_files_that_were_left_out_are_told_apart_and_named(count, more):
    names = [f"{i:02}.gif" for i in range(count)]
    notes = [f"{i:02}.txt" for i in range(count)]
    left_out = LeftOut.of([*reversed(names), *notes])
    shown = ", ".join(names[:10]) + more
    many = f"{count} photographs of kinds that cannot be read were left out"
    assert left_out.problems("x") == (f"x: {many}: {shown}; save .gif as JPEG or PNG",)
    assert left_out.notes("x") == (
        f"warning: x: {many}: {shown}; save .gif as JPEG or PNG",
        f"x: {count} other files were left out: {', '.join(notes[:10])}{more}",
    )
    assert LeftOut.of(names).notes("x") == (f"warning: x: {many}: {shown}; save .gif as JPEG or PNG",)
    assert (LeftOut().problems("x"), LeftOut().notes("x")) == ((), ())
    assert suffix_of("a.b/C.HEIC") == ".heic"
    remedies = unread_remedies(["a.heic", "b.NEF", "c.gif", "d.nef"])
    assert remedies.endswith("; save .gif, .nef as JPEG or PNG")
    assert remedies.startswith("pip install")


def test_other_formats_are_looked_for_among_the_first_hundred(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "100.png").touch()
    names = [f"b/{i}.jpg" for i in range(1, 101)]
    assert other_format_hint(tmp_path, names) == (
        "b/100.png is there instead of b/100.jpg: name the files in the list as they are called; ")  # fmt: skip
    assert other_format_hint(tmp_path, ["b/0.jpg", *names]) == ""
    (tmp_path / "b" / "7.gif").touch()
    (tmp_path / "b" / "7.txt").touch()
    assert other_format_hint(tmp_path, names) == (
        "b/7.gif and 1 more of another format are there instead of b/7.jpg: name the files in the list as they are "
        "called, and save .gif as JPEG or PNG; "
    )
    (tmp_path / "b" / "7.bmp").touch()
    assert "b/7.bmp and 1 more" in other_format_hint(tmp_path, names)
    assert other_format_hint(tmp_path, ["none/7.jpg"]) == ""


def test_files_read_at_any_place(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"abcdef")
    file = PreadFile(tmp_path / "a")
    assert (file.size, file.pread(3, 1), file.pread(9, 4), file.pread(1, 6)) == (6, b"bcd", b"ef", b"")
    with pytest.raises(DataError) as caught:
        file.pread(1, -1)
    assert str(caught.value) == (
        f"{tmp_path}/a: cannot be read at byte -1 (Invalid argument); check the disk or copy the file again"
    )
    kind, arguments = file.__reduce__()
    assert kind(*arguments).pread(2, 0) == b"ab"
    file.close()
    (tmp_path / "b").touch()
    with pytest.raises(DataError, match="b: the file is empty; copy it again"):
        PreadFile(tmp_path / "b")
    with pytest.raises(DataError, match=r"c: cannot be opened \(No such file or directory\); correct the path"):
        PreadFile(tmp_path / "c")
