"""AdaFace's paths: the layouts that it has, and the doubled path of its published script."""

from pathlib import Path

import pytest

from fairface.errors import DataError
from fairface.recipes.adaface_folders import placed, training_data, validation_sets
from unittests.data.builders import bin_file, images


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "all_data" / "train_1" / "imgs").mkdir(parents=True)
    return tmp_path


def test_paths_are_below_the_root_or_as_they_stand(place):
    assert placed("./all_data", "train_1/", "--train_data_path") == Path("all_data/train_1")
    assert placed("./all_data", "./all_data/train_1/", "--train_data_path") == Path("all_data/train_1")
    assert placed("elsewhere", str(place / "all_data"), "--val_data_path") == place / "all_data"
    (place / "all_data" / "all_data").mkdir()
    assert placed("all_data", "all_data", "--val_data_path") == Path("all_data/all_data")  # below the root comes first
    assert placed("", "casia-webface", "--train_data_path") == Path("casia-webface")  # perhaps a data set's name


def test_a_path_that_is_nowhere_names_both_places(place):
    message = "all_data/all_data/none: there is no such file or folder, nor all_data/none; correct --data_root or --v"
    with pytest.raises(DataError, match=message):
        placed("all_data", "all_data/none", "--val_data_path")
    with pytest.raises(DataError, match=r"^/none: there is no such file or folder; correct"):
        placed("all_data", "/none", "--val_data_path")


def test_images_or_records(place):
    train = Path("all_data/train_1")
    assert training_data(train, use_mxrecord=False) == train / "imgs"
    assert training_data(train / "imgs", use_mxrecord=False) == train / "imgs"
    with pytest.raises(DataError, match=r"train_1: holds no train\.rec; leave out --use_mxrecord"):
        training_data(train, use_mxrecord=True)
    (train / "train.rec").touch()
    assert training_data(train, use_mxrecord=True) == train
    assert training_data(train, use_mxrecord=False) == train / "imgs"
    (train / "imgs").rmdir()
    assert training_data(train, use_mxrecord=False) == train  # records are all that is there
    assert training_data(train / "train.rec", use_mxrecord=True) == train / "train.rec"


def test_the_five_are_scored_where_one_is_there_else_all(place):
    made = bin_file(place / "made", images()).path
    folder = place / "validation"
    folder.mkdir()
    with pytest.raises(DataError, match=r"validation: holds no verification set \(lfw\.bin"):
        validation_sets(folder)
    for name in ("second", "first"):
        (folder / f"{name}.bin").write_bytes(made.read_bytes())
    assert validation_sets(folder) == [str(folder / "first.bin"), str(folder / "second.bin")]
    for name in ("agedb_30", "lfw", "cfp_ff"):
        (folder / f"{name}.bin").write_bytes(made.read_bytes())
    assert validation_sets(folder) == [str(folder / "lfw.bin"), str(folder / "agedb_30.bin")]
    with pytest.raises(DataError, match="there is no such folder"):
        validation_sets(place / "nowhere")
