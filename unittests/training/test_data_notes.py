"""What a run says of its data, and what it keeps of their labels."""

import json

import pytest

from fairface.errors import DataError
from fairface.training.run import train
from unittests.training.helpers import make_people, tiny_config


def test_sparse_labels_missing_files_and_unlabeled_images(tmp_path, capsys):
    make_people(tmp_path / "people", people=4)
    labels = (0, 70, 5, 123)
    lines = [f"person{p}/{i}.png {labels[p]}\n" for p in range(4) for i in range(6)]
    (tmp_path / "list.txt").write_text("".join([*lines, "person0/none.png 70\n"]))
    values = (f"data.root={tmp_path / 'people'}", "data.zero_is_unlabeled=true", "steps=1", "verify.sets=[]")
    with pytest.raises(DataError, match=r"1 of 25 files is missing: line 25: .*none\.png"):
        train(tiny_config(tmp_path, tmp_path / "list.txt", *values))
    assert train(tiny_config(tmp_path, tmp_path / "list.txt", *values, "data.on_missing=skip")) == 0
    said = capsys.readouterr().err
    assert "1 of 25 files is missing and was left out: line 25" in said
    assert "4 different labels from 0 to 123 became classes 0 to 3, in ascending order" in said
    assert "6 of 24 images have the label 0 and became unlabeled (-1)" in said
    assert "6 unlabeled images are not used by this method" in said
    assert "data: 18 images of 3 identities" in said
    assert json.loads((tmp_path / "models" / "tiny" / "classes.json").read_text()) == ["5", "70", "123"]
