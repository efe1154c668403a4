"""What a newcomer mistypes is answered with the file or option and what to do."""

import numpy as np
import pytest

from fairface.config.limits import Range
from fairface.data.images import encode_png
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import DataError
from fairface.programs import fairness, purge
from fairface.protocols.verification_set import open_verification_set


def test_a_folder_to_purge_that_is_not_there_is_an_error(tmp_path, capsys):
    """Else a misspelt folder would look as if it held nobody's data."""
    save_embeddings(tmp_path / "x.npz", Embeddings(np.ones((1, 2), np.float32), ("a",)))
    with pytest.raises(DataError, match=r"resluts: no such file or folder, so nothing was looked for"):
        purge.main([str(tmp_path), str(tmp_path / "resluts")])
    assert capsys.readouterr().out == ""
    purge.main([str(tmp_path)])
    assert "1 file with embeddings" in capsys.readouterr().out


def test_a_set_that_cannot_be_compared_is_named(tmp_path):
    (tmp_path / "people" / "ada").mkdir(parents=True)
    for name in ("1.png", "2.png"):
        (tmp_path / "people" / "ada" / name).write_bytes(encode_png(np.zeros((8, 8, 3), np.uint8)))
    with pytest.raises(DataError, match=rf"^{tmp_path}/people: the only pair of the 2 images is of one subject"):
        open_verification_set(str(tmp_path / "people"))


def test_bounds_are_told_in_all_digits():
    assert str(Range(1, 1 << 24)) == "lie between 1 and 16777216"
    assert str(Range(0, 0.5, open_high=True)) == "lie between 0 and 0.5, 0.5 excluded"


@pytest.mark.parametrize(("least", "told"), [("30", True), ("2", False)])
def test_a_report_on_few_people_names_the_option(tmp_path, capsys, least, told):
    rng = np.random.default_rng(0)
    rows = np.float32(np.repeat(rng.normal(size=(8, 6)), 2, axis=0) + 0.2 * rng.normal(size=(16, 6)))
    names = tuple(f"p{i // 2}/{i % 2}.jpg" for i in range(16))
    sexes = np.int8([[i // 2 % 2] for i in range(16)])
    save_embeddings(tmp_path / "x.npz", Embeddings(rows, names, {}, attributes=sexes, attribute_names=("sex",)))
    fairness.main(["--embeddings", str(tmp_path / "x.npz"), "--all-pairs", "--subjects-from", "names",
                   "--protected", "sex", "--fmr", "0.1", "--min-subjects", least, "--bootstrap", "0",
                   "--quiet"])  # fmt: skip
    assert ("--min-subjects sets how many subjects" in capsys.readouterr().out) is told
