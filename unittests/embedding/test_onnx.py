"""The ONNX engine: what it gives, that it works without MXNet, and what it takes of others."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fairface.embedding.from_checkpoint import load_embedder
from fairface.embedding.fusion import concatenation
from fairface.embedding.onnx import OnnxEmbedder
from fairface.errors import CheckpointError, ConfigError, DataError, DeviceError
from fairface.interop.onnx.session import OnnxNet, open_net
from unittests.interop.dlib.dlib_writer import TinyNet
from unittests.interop.onnx.files import SIZE, expected, network, save
from unittests.interop.onnx.nets import DIMENSIONS, random_net
from unittests.small_models import draw_people, export_linear

ROOT = Path(__file__).resolve().parents[2]
# Runs a program in a Python that cannot import MXNet, and says which packages it has loaded.
WITHOUT_MXNET = """
import sys
sys.modules["mxnet"] = None
from fairface.__main__ import main
try:
    main(sys.argv[1:])
finally:
    assert not [name for name in sys.modules if name.startswith("mxnet.") or name == "fairface.mx"], "MXNet was reached"
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """An MXNet model and the same as ONNX."""
    from fairface.programs.export_onnx import main

    folder = tmp_path_factory.mktemp("exported")
    model = export_linear(folder / "net")
    main([model, str(folder / "pack"), "--quiet"])
    return model, str(folder / "pack" / "model.onnx")


def small_net(int8: bool) -> bytes:
    """A net with convolutions, for images of 32 x 32."""
    from fairface.interop.onnx.convert import convert
    from fairface.interop.onnx.quantise import quantised

    content = bytes(convert(random_net("fresnet_tiny", 32)[1], 32, DIMENSIONS).SerializeToString())
    return quantised(content, pixels(32, 32)) if int8 else content


def pixels(count: int, size: int = 112) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), np.uint8)


@pytest.mark.parametrize("flip", [True, False])
def test_embeddings_are_those_of_mxnet(exported: tuple[str, str], flip: bool) -> None:
    images = pixels(5)
    mine, ours = (load_embedder(name, "cpu0", 2, flip, show_progress=False).embed(images) for name in exported)
    np.testing.assert_allclose(ours, mine, rtol=1e-4, atol=1e-4 * np.abs(mine).max())


@pytest.mark.parametrize("flip", [True, False])
@pytest.mark.parametrize("int8", [False, True])
def test_embeddings_depend_neither_on_threads_nor_on_the_batch(flip: bool, int8: bool) -> None:
    content, images = small_net(int8), pixels(11, 32)
    one, many = (open_net(content, "tiny.onnx", threads) for threads in (1, 3))
    x = np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)
    wanted = one.run(x) + one.run(x[..., ::-1]) if flip else one.run(x)  # all images in one run
    for batch in (1, 2, 4, 11, 64):
        found = OnnxEmbedder(many, batch, flip, show_progress=False).embed(images)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * np.linalg.norm(wanted, axis=1).min())


def test_the_last_batch_is_not_filled_up_and_each_view_of_a_photograph_gets_a_thread() -> None:
    seen: list[int] = []

    class Counting(OnnxNet):
        def run(self, x: Any) -> Any:
            seen.append(len(x))
            return super().run(x)

    net = open_net(network(), "other.onnx", threads=2)
    counting = Counting(net.session, net.image_size, net.dimensions, net.batch, net.metadata, net.threads)
    before = threading.active_count()
    OnnxEmbedder(counting, show_progress=False).embed(pixels(1, SIZE))
    assert seen == [1, 1]
    OnnxEmbedder(counting, 4, flip=False, show_progress=False).embed(pixels(7, SIZE))
    assert sum(seen) == 2 + 7
    assert threading.active_count() == before


def test_views_are_joined_as_asked(exported: tuple[str, str]) -> None:
    images = pixels(3)
    both = load_embedder(exported[1], fuse=concatenation, show_progress=False).embed(images)
    one = load_embedder(exported[1], flip=False, show_progress=False).embed(images)
    np.testing.assert_allclose(both[:, :64], one / np.linalg.norm(one, axis=1, keepdims=True), rtol=1e-4, atol=1e-6)
    assert both.shape == (3, 128)


def test_another_size_is_refused(exported: tuple[str, str]) -> None:
    with pytest.raises(DataError, match="images are 96x96 pixels, but the net takes 112x112"):
        load_embedder(exported[1], show_progress=False).embed(pixels(2, 96))


def test_a_network_of_others_gets_the_pixels_that_were_named(tmp_path: Path) -> None:
    name = save(tmp_path / "w600k.onnx", network(batch=1))
    images = pixels(3, SIZE)
    found = load_embedder(name, flip=False, show_progress=False, pixels="minus127.5/128", colour="bgr").embed(images)
    bgr = images[..., ::-1].transpose(0, 3, 1, 2).astype(np.float64)
    np.testing.assert_allclose(found, expected((bgr - 127.5) / 128), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"devices": "gpu0"}, DeviceError, "ONNX files run on the CPU; leave --devices out"),
        ({"gpus": "0"}, DeviceError, "--gpus 0: ONNX files run on the CPU; leave --gpus out"),
        ({"precision": "bf16"}, DeviceError, "has its own precision"),
        ({"batch_size": 0}, ConfigError, "batch size of 1 or more"),
        ({"colour": "bgr"}, ConfigError, "says of itself that it takes rgb"),
    ],
)
def test_what_the_engine_cannot_do_is_said(
    exported: tuple[str, str], options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        load_embedder(exported[1], show_progress=False, **options)


def test_names_that_lead_nowhere(exported: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file; name an ONNX file"):
        load_embedder(str(tmp_path / "gone.onnx"))
    with pytest.raises(ConfigError, match="--pixels and --colour are for ONNX files"):
        load_embedder(exported[0], colour="rgb")


def test_no_net_is_trained_from_it(exported: tuple[str, str]) -> None:
    from fairface.checkpoints import resolve
    from fairface.interop.weights import blocks_in, weights_for
    from fairface.mx import nn

    for read in (lambda: weights_for(nn.Dense(1), resolve(exported[1])), lambda: blocks_in(resolve(exported[1]))):
        with pytest.raises(CheckpointError, match="an ONNX file can be scored, but not trained"):
            read()


def program(*words: object) -> dict[str, Any]:
    command = [sys.executable, "-c", WITHOUT_MXNET, *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_programs_score_an_onnx_file_where_mxnet_cannot_be_imported(exported: tuple[str, str], tmp_path: Path) -> None:
    people = draw_people(tmp_path / "people", people=4, images=3)
    name = exported[1]
    stored = program("embed", name, "--data", people, "--output", tmp_path / "e.npz")
    assert (stored["images"], stored["embedding"]) == (12, 64)
    words = ("--set", people, "--fmr", 0.1, "--bootstrap", 0, "--save-thresholds")
    scored = program("verification", "--model", name, *words)
    assert scored["results"]["people"]["genuine"] == 12
    assert Path(f"{name}.thresholds.json").is_file()
    decided = program("inference", people, "--model", name, "--aligned")
    assert np.shape(decided["decisions"]) == (12, 12)  # by the thresholds just saved
    by_mxnet = load_embedder(exported[0], "cpu0", show_progress=False)
    from fairface.data.opening import open_dataset
    from fairface.embedding.store import load_embeddings

    mine = by_mxnet.embed(open_dataset(people))
    ours = load_embeddings(tmp_path / "e.npz").embeddings
    np.testing.assert_allclose(ours, mine, rtol=1e-4, atol=1e-4 * np.abs(mine).max())


def test_faces_are_adapted_to_dlibs_layout_where_mxnet_cannot_be_imported(tmp_path: Path) -> None:
    from fairface.embedding.store import load_embeddings
    from fairface.programs.export_onnx import main

    model, people = tmp_path / "net.dat", draw_people(tmp_path / "people", people=2, images=2)
    model.write_bytes(TinyNet(size=150).content())
    main([str(model), str(tmp_path / "pack"), "--quiet"])
    program("embed", tmp_path / "pack" / "model.onnx", "--data", people, "--output", tmp_path / "e.npz")
    crops = [cv2.imread(f"{people}/p{person}/{image}.png")[..., ::-1] for person in range(2) for image in range(2)]
    wanted = load_embedder(str(model), "cpu0", show_progress=False).embed(np.stack(crops))
    ours = load_embeddings(tmp_path / "e.npz").embeddings
    np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def test_the_public_face_takes_an_onnx_file(exported: tuple[str, str]) -> None:
    from fairface import embed, load_model
    from fairface.inference import load_pretrained_model

    model = load_model(exported[1])
    assert (model.name, model.image_size, model.dimensions) == (exported[1], 112, 64)
    faces = pixels(2)
    np.testing.assert_allclose(embed(model, faces), embed(load_model(exported[0], "cpu0"), faces), rtol=1e-3, atol=0.05)
    pretrained = load_pretrained_model(exported[1])
    feature, length = pretrained(faces.transpose(0, 3, 1, 2).astype(np.float32))
    assert (feature.shape, length.shape) == ((2, 64), (2, 1))
