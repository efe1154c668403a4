"""Folders of identities: what lies beside the photographs."""

import pytest

from fairface.data.folder import FolderDataset
from fairface.errors import DataError


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, ", …")])
def test_folders_without_a_photograph_are_named(tmp_path, count, more):
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "1.jpg").touch()
    (tmp_path / ".hidden").mkdir()
    for i in range(count):
        (tmp_path / f"p{i}").mkdir()
        (tmp_path / f"p{i}" / ".hidden.jpg").touch()
    data = FolderDataset(tmp_path)
    shown = ", ".join(f"p{i}/" for i in range(5))
    assert data.problems == (
        f"{tmp_path}: {count} folders hold no photograph that can be read and are no identities: {shown}{more}",
    )
    assert data.skipped == tuple(f"p{i}/" for i in range(count))


def test_what_lies_beside_the_photographs(tmp_path):
    for name in ("imgs/b/2.JPG", "imgs/b/1.txt", "imgs/a/x.png", "imgs/note.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "imgs" / "c").mkdir()
    (tmp_path / "imgs" / "c" / "gone.jpg").symlink_to("nowhere")
    (tmp_path / "imgs" / "a" / "gone.jpg").symlink_to("nowhere")
    with pytest.raises(DataError, match=r"2 of 4 files are missing: .*restore what the links lead to"):
        FolderDataset(tmp_path)
    data = FolderDataset(tmp_path, "skip")
    assert (data.identities, data.labels.tolist(), data.skipped) == (("a", "b"), [0, 1], ("b/1.txt", "note.txt"))
    assert data.missing == (f"{tmp_path}/imgs/a/gone.jpg", f"{tmp_path}/imgs/c/gone.jpg")
    assert data.problems == ()
    assert [data.path(i) for i in range(2)] == [tmp_path / "imgs/a/x.png", tmp_path / "imgs/b/2.JPG"]
    assert [data.record_name(i) for i in range(2)] == ["a/x.png", "b/2.JPG"]
    for read in (data.path, data.name, data.record_name, data.encoded):
        with pytest.raises(DataError, match="record 2 was asked for"):
            read(2)


def test_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    (tmp_path / "ann").mkdir()

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DataError) as caught:
        FolderDataset(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot be listed (Permission denied); check its permissions"
