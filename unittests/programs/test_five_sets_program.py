"""``test/five_sets.py`` as a user calls it."""

import json
from pathlib import Path

import numpy as np
import pytest

from fairface.cli import run
from fairface.data.images import encode_png
from fairface.data.packing.memory import make_memory_set
from fairface.data.pairsets.bin_set import read_bin, write_bin
from fairface.programs import five_sets
from fairface.programs.catalog import find
from unittests.training.helpers import SIZE


def make_set(path: Path, seed: int, size: int = SIZE, pairs: int = 30) -> None:
    rng = np.random.default_rng(seed)
    people = rng.integers(0, 256, (pairs, 4, 4, 3))
    same = np.arange(pairs) % 2 == 0
    shown = np.stack([people, np.where(same[:, None, None, None], people, people[::-1])], axis=1)
    noisy = np.clip(shown + rng.normal(0, 50, shown.shape), 0, 255).astype(np.uint8).reshape(-1, 4, 4, 3)
    write_bin(path, [encode_png(image.repeat(size // 4, 0).repeat(size // 4, 1)) for image in noisy], same)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A linear net of 32 x 32 images, as ``prefix,epoch``."""
    from fairface.mx import mx, nn

    mx.random.seed(0)
    net = nn.HybridSequential(prefix="linear_")
    with net.name_scope():
        net.add(nn.HybridLambda(lambda F, x: x - 127.5), nn.AvgPool2D(8, 8), nn.Flatten(),
                nn.Dense(16, use_bias=False, in_units=3 * (SIZE // 8) ** 2))  # fmt: skip
    net.initialize(mx.init.Xavier())
    net.hybridize()
    net(mx.nd.zeros((1, 3, SIZE, SIZE)))
    prefix = tmp_path_factory.mktemp("model") / "linear"
    net.export(str(prefix), 0)
    return f"{prefix},0"


def call(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    program = find("five-sets")
    assert program is not None
    with pytest.raises(SystemExit) as left:
        run(five_sets.main, [str(word) for word in words], program.settings)
    printed = capsys.readouterr()
    return int(left.value.code or 0), printed.out, printed.err


def test_what_is_there_is_scored_and_the_rest_named(tmp_path, model, capsys):
    for seed, name in enumerate(("lfw", "agedb_30", "own")):
        make_set(tmp_path / f"{name}.bin", seed)
    make_memory_set(tmp_path / "lfw.bin")
    (tmp_path / "lfw.bin").unlink()
    code, out, err = call(capsys, tmp_path, "--model", model, "--batch-size", 16)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].split() == ["model", "LFW", "CFP-FP", "CPLFW", "CALFW", "AgeDB-30", "AVG", "of", "2"]
    assert lines[2].split()[2:5] == ["n/a"] * 3
    assert f"{tmp_path}: CFP-FP, CPLFW, CALFW: not there, left out\n" in err
    assert f"{tmp_path}: own: none of the five; test/verification.py scores any set\n" in err
    assert f"{model}: AgeDB-30 {lines[2].split()[5]}\n" in err


def test_json_of_two_models_is_the_loop_over_the_nets_own_embeddings(tmp_path, model, capsys):
    make_set(tmp_path / "cplfw.bin", 4)
    code, out, err = call(capsys, tmp_path, "--model", model, "--model", model, "--json", "--quiet", "--folds", 5)
    assert (code, err) == (0, "")
    found = json.loads(out)
    (result,) = found["results"]  # the same model twice is one
    assert (found["missing"], result["average_of"]) == (["LFW", "CFP-FP", "CALFW", "AgeDB-30"], ["CPLFW"])
    from fairface.embedding.from_checkpoint import load_embedder

    content = read_bin(tmp_path / "cplfw.bin")
    rows = load_embedder(model, "cpu0", show_progress=False).embed(content.images).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    distances = ((rows[0::2] - rows[1::2]) ** 2).sum(axis=1)
    expected = []
    for part in np.array_split(np.arange(30), 5):
        others = np.setdiff1d(np.arange(30), part)
        right = [np.mean((distances[others] < 0.01 * t) == content.same[others]) for t in range(400)]
        expected.append(np.mean((distances[part] < 0.01 * int(np.argmax(right))) == content.same[part]))
    one = result["sets"]["CPLFW"]
    np.testing.assert_allclose(one["accuracies"], expected, atol=1e-12)
    assert one["accuracy"] == result["average"] == pytest.approx(np.mean(expected))
    assert one["interval"] == result["average_interval"]


def test_images_of_another_size(tmp_path, model, capsys):
    make_set(tmp_path / "lfw.bin", 0, size=48)
    code, _, err = call(capsys, tmp_path, "--model", model, "--quiet")
    assert code == 2
    assert "lfw.bin, image 0: the image is 48x48 pixels, not 32x32" in err
    assert err.endswith("have images resized (--resize)\n")
    code, out, _ = call(capsys, tmp_path, "--model", model, "--quiet", "--resize", "--json")
    assert code == 0
    assert 0 <= json.loads(out)["results"][0]["average"] <= 1


@pytest.mark.parametrize(("words", "what"), [
    (["--model", "m,0"], "holds none of lfw.bin"),
    (["--model", "m,0", "--folds", "1"], "--folds 1 --level 0.95: write 2 or more"),
    (["--model", "m,0", "--level", "1"], "--level 1: write 2 or more, and between 0 and 1"),
    ([], "the following arguments are required: --model"),
])  # fmt: skip
def test_wrong_words_are_one_line(tmp_path, capsys, words, what):
    code, out, err = call(capsys, tmp_path, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert what in err


def test_a_damaged_set_is_named(tmp_path, model, capsys):
    (tmp_path / "lfw.bin").write_bytes(b"nothing of the kind")
    code, _, err = call(capsys, tmp_path, "--model", model, "--quiet")
    assert (code, err.count("\n")) == (2, 1)
    assert "lfw.bin: is no whole insightface verification set" in err
