"""fairface.data.folder and listfile."""

import numpy as np
import pytest

from fairface.data.folder import FolderDataset
from fairface.data.images import encode_jpeg, encode_png
from fairface.data.listfile import ListDataset
from fairface.errors import ConfigError, DataError


def photo(value: int) -> np.ndarray:
    return np.full((12, 12, 3), value, np.uint8)


def put(root, name, value=0):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(photo(value)) if path.suffix == ".png" else encode_jpeg(photo(value)))


def test_identities_in_order_of_their_names(tmp_path):
    for name, value in (("Zoe/1.jpg", 10), ("Ann B/2.png", 20), ("Ann B/1.JPEG", 30)):
        put(tmp_path, name, value)
    (tmp_path / "Zoe" / "notes.txt").touch()
    (tmp_path / "nobody").mkdir()
    (tmp_path / "list.csv").touch()
    data = FolderDataset(tmp_path)
    assert data.identities == ("Ann B", "Zoe")
    assert data.labels.tolist() == [0, 0, 1]
    assert [data[i].image[0, 0, 0] for i in range(3)] == [30, 20, 10]
    assert data.name(0) == str(tmp_path / "Ann B" / "1.JPEG")
    assert data.skipped == ("Zoe/notes.txt", "list.csv", "nobody/")
    assert (data.num_classes, data.attributes.shape) == (2, (3, 0))


@pytest.mark.parametrize("below", ["", "imgs/"])
def test_numbers_are_ordered_as_numbers(tmp_path, below):
    for name in ("10", "9", "0"):
        put(tmp_path, f"{below}{name}/a.jpg")
    assert FolderDataset(tmp_path).identities == ("0", "9", "10")


def test_one_photo_a_identity_is_fine(tmp_path):
    for name in "ab":
        put(tmp_path, f"{name}/1.jpg")
    assert FolderDataset(tmp_path).labels.tolist() == [0, 1]


def test_empty_and_missing_folder(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        FolderDataset(tmp_path / "none")
    with pytest.raises(DataError, match="holds no photograph of an identity; put each"):
        FolderDataset(tmp_path)
    put(tmp_path, "loose.jpg")
    with pytest.raises(DataError, match="holds no photograph of an identity; put each"):
        FolderDataset(tmp_path)


def test_photo_that_went_away_or_is_none(tmp_path):
    put(tmp_path, "a/1.jpg")
    (tmp_path / "a" / "2.jpg").write_bytes(b"text")
    data = FolderDataset(tmp_path)
    with pytest.raises(DataError, match=r"2\.jpg: not an image"):
        data[1]
    (tmp_path / "a" / "1.jpg").unlink()
    with pytest.raises(DataError, match=r"1\.jpg: cannot be read"):
        data[0]


def test_list_with_gaps_spaces_and_unlabeled(tmp_path):
    for name in ("My Person/a b.jpg", "c.jpg", "d.jpg", "e.jpg"):
        put(tmp_path / "photos", name)
    path = tmp_path / "list.txt"
    path.write_text("My Person/a b.jpg 700\n\nc.jpg\t3\nd.jpg 700.0\ne.jpg -1\n")
    data = ListDataset(path, tmp_path / "photos")
    assert data.labels.tolist() == [1, 0, 1, -1]
    assert data.class_labels.tolist() == [3, 700]
    assert data.num_classes == 2
    assert data.name(1).endswith("c.jpg (list.txt, line 3)")
    assert data[0].image.shape == (12, 12, 3)


def test_missing_photo_is_named_with_its_line(tmp_path):
    put(tmp_path, "a.jpg")
    (tmp_path / "list.txt").write_text("a.jpg 0\nb.jpg 1\n")
    with pytest.raises(DataError, match=r"list\.txt: 1 of 2 files is missing: line 2: .*b\.jpg; correct the list"):
        ListDataset(tmp_path / "list.txt")
    data = ListDataset(tmp_path / "list.txt", on_missing="skip")
    assert (len(data), data.class_names) == (1, ("0",))
    assert data.missing == (f"line 2: {tmp_path / 'b.jpg'}",)
    assert data.notes[0].startswith(f"warning: {tmp_path / 'list.txt'}: 1 of 2 files is missing and was left out")
    put(tmp_path, "b.jpg")
    data = ListDataset(tmp_path / "list.txt")
    (tmp_path / "b.jpg").unlink()
    with pytest.raises(DataError, match=r"b\.jpg \(list\.txt, line 2\): cannot be read"):
        data[1]


@pytest.mark.parametrize("photos", [4, 40])  # few are looked up one by one, many by listing the folder
def test_missing_photos_of_a_folder(tmp_path, photos):
    names = [f"my folder/a b {i}.jpg" for i in range(photos)]
    for name in names:
        put(tmp_path, name)
    (tmp_path / "my folder" / "a b 1.jpg").unlink()
    (tmp_path / "my folder" / "a b 2.jpg").unlink()
    (tmp_path / "my folder" / "a b 2.jpg").symlink_to("nowhere")
    (tmp_path / "list.txt").write_text("".join(f"{name} {7 * i}\n" for i, name in enumerate([*names, "none/x.jpg"])))
    data = ListDataset(tmp_path / "list.txt", on_missing="skip")
    assert [message.partition(": ")[0] for message in data.missing] == ["line 2", "line 3", f"line {photos + 1}"]
    assert data.class_labels.tolist() == [0, *range(21, 7 * photos, 7)]
    assert data.notes[1].endswith(f"became classes 0 to {photos - 3}, in ascending order")
    with pytest.raises(ConfigError, match="must be one of: stop, skip"):
        ListDataset(tmp_path / "list.txt", on_missing="never")


def test_links_that_lead_nowhere(tmp_path):
    put(tmp_path, "a/1.jpg")
    put(tmp_path, "elsewhere.jpg")
    (tmp_path / "a" / "2.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    (tmp_path / "a" / "3.jpg").symlink_to("gone.jpg")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.jpg").symlink_to("gone.jpg")
    with pytest.raises(DataError, match=r"2 of 4 files are missing: .*a/3\.jpg; .*b/1\.jpg; restore what the links"):
        FolderDataset(tmp_path)
    data = FolderDataset(tmp_path, on_missing="skip")
    assert (data.identities, len(data), len(data.missing)) == (("a",), 2, 2)
    assert "2 of 4 files" in data.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no lines"),
        ("a.jpg 0\na.jpg\n", "line 2"),
        ("a.jpg zero\n", "line 1"),
        ("a.jpg 0.5\n", "line 1"),
        ("a.jpg nan\n", "line 1"),
        ("a.jpg -2\n", "line 1"),
        ("../a.jpg 0\n", "not below the folder"),
        ("/a.jpg 0\n", "not below the folder"),
        ("b.jpg 0\n", "correct the list or its folder"),
        ("a.jpg 1_0\n", "line 1"),
        ("a.jpg \u0664\n", "line 1"),
        ("a.jpg 99999999999999999999\n", "line 1"),
        ("a\x00.jpg 0\n", "line 1 holds the control character"),
        ("a.jpg 0\n\nb\u2028.jpg 0\n", "line 3 holds the control character"),
    ],
)
def test_damaged_list(tmp_path, text, said):
    put(tmp_path, "a.jpg")
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=said):
        ListDataset(tmp_path / "list.txt")


def test_list_that_is_no_text(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(DataError, match="no text in UTF-8"):
        ListDataset(tmp_path / "list.txt")
    with pytest.raises(DataError, match="cannot be read"):
        ListDataset(tmp_path / "none.txt")
