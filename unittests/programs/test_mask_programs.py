"""add_masks.py and mask_bin.py as a user types them."""

import json

import cv2
import numpy as np
import pytest

from fairface.__main__ import main
from fairface.data.images import decode
from fairface.data.pairsets.bin_set import read_bin
from fairface.faces.masks import STYLES
from unittests.faces.masks.heads import face


@pytest.fixture
def crops(tmp_path):
    base = tmp_path / "crops"
    for seed, name in enumerate(("ada/1.png", "ada/2.png", "bo/1.png")):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(base / name), face(seed=seed)[:, :, ::-1])
    return base


def call(capsys, *words):
    """Exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    done = capsys.readouterr()
    return left.value.code, done.out, done.err


def test_masks_and_their_log(crops, tmp_path, capsys):
    first, again = tmp_path / "out", tmp_path / "again"
    words = ("mask", crops, "--jobs", 1, "--json", "--quiet")
    code, out, err = call(capsys, *words, "--output", first, "--styles", "n95, cloth", "--nose-out", 0, "--seed", 5)
    assert (code, err) == (0, "")
    assert json.loads(out) == {"masked": 3, "unmasked": 0, "refused": 0, "unreadable": 0, "refused_images": {},
                               "log": str(first / "masks.jsonl")}  # fmt: skip
    rows = [json.loads(line) for line in (first / "masks.jsonl").read_text().splitlines()[1:]]
    assert {row["parameters"]["style"] for row in rows} <= {"n95", "cloth"}
    assert {row["parameters"]["position"] for row in rows} <= {"normal", "chin"}
    assert call(capsys, *words, "--output", again, "--log", first / "masks.jsonl")[0] == 0
    for name in ("ada/1.png", "ada/2.png", "bo/1.png", "masks.jsonl"):
        assert (first / name).read_bytes() == (again / name).read_bytes()
    code, _, err = call(capsys, *words, "--log", first / "masks.jsonl", "--seed", 1)
    assert (code, err.count("\n")) == (2, 1)
    assert "--seed cannot be given" in err


def test_text_and_bad_input(crops, tmp_path, capsys):
    (crops / "bo" / "1.png").write_bytes(b"no image")
    words = ("mask", crops, "--jobs", 1, "--output", tmp_path / "out")
    code, out, err = call(capsys, *words)
    assert code == 2
    assert out.startswith("3 images: 2 masked, 0 unmasked, 0 refused, 1 unreadable\nunreadable: bo/1.png: not an image")
    assert err.endswith("fix or remove them, or use --skip-bad\n")
    assert call(capsys, *words, "--skip-bad")[0] == 0
    for words, said in [
        (("mask", crops, "--styles", "ski"), "there is no mask style 'ski'"),
        (("mask", tmp_path / "nowhere"), "no such folder"),
        (("mask", crops, "--textures", crops), "no mask texture in it"),
        (("mask", crops, "--sheet", tmp_path / "s.png", "--faces", 0), "--faces is 0"),
        (("mask-pairs", tmp_path / "no.bin", "--output", tmp_path / "x.bin"), "no.bin"),
    ]:
        code, _, err = call(capsys, *words)
        assert (code, err.count("\n")) == (2, 1)
        assert said in err


def test_a_sheet(crops, tmp_path, capsys):
    code, out, _ = call(capsys, "mask", crops, "--sheet", tmp_path / "sheet.png", "--faces", 2, "--json")
    assert (code, json.loads(out)) == (0, {"sheet": str(tmp_path / "sheet.png"), "faces": 2})
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (14 + 2 * 114, 114 * (1 + len(STYLES)), 3)
    assert not (crops / "masks.jsonl").exists()


def test_a_masked_set_of_pairs(crops, tmp_path, capsys):
    listed = tmp_path / "pairs.csv"
    listed.write_text("image_a,image_b,same\nada/1.png,ada/2.png,1\nada/1.png,bo/1.png,0\n")
    made = tmp_path / "masked.bin"
    words = ("mask-pairs", listed, "--root", crops, "--output", made, "--side", "b", "--json")
    code, out, _ = call(capsys, *words)
    log = tmp_path / "masked.masks.jsonl"
    assert (code, json.loads(out)) == (0, {"output": str(made), "pairs": 2, "masked": 2, "refused": 0, "log": str(log)})
    content = read_bin(made)
    assert content.same.tolist() == [True, False]
    for place, name in enumerate(("ada/1.png", "ada/2.png", "ada/1.png", "bo/1.png")):
        original = decode((crops / name).read_bytes(), name)
        assert (decode(content.images[place], name) == original).all() == (place % 2 == 0)
    assert len(log.read_text().splitlines()) == 5
    # A .bin is masked as a list is, and a set is not written over itself.
    both = tmp_path / "both.bin"
    assert call(capsys, "mask-pairs", made, "--output", both, "--side", "both")[0] == 0
    for changed, before in zip(read_bin(both).images, content.images, strict=True):
        assert (decode(changed, "") != decode(before, "")).any()
    code, _, err = call(capsys, "mask-pairs", made, "--output", made)
    assert code == 2
    assert "would be overwritten" in err
    assert np.array_equal(read_bin(made).same, content.same)
