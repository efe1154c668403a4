"""Images of a data set as files: how many, where, under which names."""

import pytest

from fairface.data.inspection.extraction import extract, suffix_of, unpack_identities
from fairface.data.recordio.dataset import RecordDataset
from fairface.errors import DataError
from unittests.data.builders import images, rec, unlabeled_tfrecord


def test_identities_are_unpacked_once_from_one_file(tmp_path):
    data = RecordDataset(rec(tmp_path, images()).path)
    (tmp_path / "out" / ".imgs.part").mkdir(parents=True)  # of a run that was killed
    seen = []
    assert unpack_identities(data, tmp_path / "out", watch=lambda items: (seen.append(1) or item for item in items))
    assert len(seen) == 6
    assert not unpack_identities(data, tmp_path / "out")
    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("[!.]*.*"))
    assert names == ["imgs/0/1.jpg", "imgs/0/2.jpg", "imgs/0/3.jpg", "imgs/1/4.jpg", "imgs/2/5.jpg", "imgs/2/6.jpg"]
    assert (tmp_path / "out" / "imgs" / "0" / "1.jpg").read_bytes() == data.encoded(0)
    for stamp in (None, "{", '{"source": "train.rec"}'):
        file = tmp_path / "out" / "imgs" / ".unpacked.json"
        file.unlink()
        if stamp is not None:
            file.write_text(stamp)
        with pytest.raises(
            DataError, match=r"imgs: is there already and was not made from train\.rec; remove or rename"
        ):
            unpack_identities(data, tmp_path / "out")
        file.touch()


def test_unpacking_on_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    data = RecordDataset(rec(tmp_path, images()).path)

    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(DataError, match=r"imgs: cannot be written \(No space left on device\); free space"):
        unpack_identities(data, tmp_path / "rec")
    assert not [path for path in (tmp_path / "rec").iterdir() if "imgs" in path.name]


def test_the_first_images_and_all_of_them(tmp_path):
    data_set = unlabeled_tfrecord(tmp_path / "in", images())
    from fairface.data.opening import open_dataset

    data = open_dataset(data_set.path)
    for limit, count in ((1, 1), (5, 5), (6, 6), (7, 6), (0, 6)):
        written = extract(data, tmp_path / str(limit), limit)
        assert [path.read_bytes() for path in written] == data_set.images[:count]
        assert len([path for path in (tmp_path / str(limit)).rglob("*") if path.is_file()]) == count
    taken = tmp_path / "0" / "my images" / "é 0.jpg"
    taken.unlink()
    taken.mkdir()
    assert extract(data, tmp_path / "0", 1)[0].name == "é 0_2.jpg"


def test_suffixes_fit_the_content():
    jpeg, png = images()[0], images(png=True)[0]
    for data, name, suffix in (
        (jpeg, "", ".jpg"), (jpeg, "a.JPG", ".JPG"), (jpeg, "a.jpe", ".jpg"), (png, "", ".png"), (png, "a.PNG", ".png"),
        (b"BM", "", ".img"), (b"BM", "a.b.bmp", ".bmp"),
    ):  # fmt: skip
        assert suffix_of(data, name) == suffix
