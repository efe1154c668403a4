"""ONNX files that are no recognition network are refused in one line; those that are run in any batch."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from fairface.errors import CheckpointError
from fairface.interop.onnx.metadata import Metadata, read_metadata
from fairface.interop.onnx.session import OnnxNet, open_net
from unittests.interop.onnx.files import DIMENSIONS, SIZE, expected, network
from unittests.interop.onnx.nets import small_dlib


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("batch", ["N", 1, 3, 16])
def test_any_number_of_images_in_a_free_or_a_fixed_batch(batch: Any, threads: int) -> None:
    net = open_net(network(batch=batch), "other.onnx", threads)
    assert (net.image_size, net.dimensions, net.batch) == (SIZE, DIMENSIONS, None if batch == "N" else batch)
    for count in (1, 2, 5, 17):
        x = np.random.default_rng(0).normal(size=(count, 3, SIZE, SIZE)).astype(np.float32)
        np.testing.assert_allclose(net(x), expected(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("batch", "of_a_run", "at_once"), [("N", 1, 3), (1, 1, 3), (8, 1, 3), (9, 3, 1)])
def test_a_run_keeps_to_one_core_but_where_the_file_fixes_a_large_batch(
    batch: Any, of_a_run: int, at_once: int
) -> None:
    net = open_net(network(batch=batch), "other.onnx", threads=3)
    assert (net.session.get_session_options().intra_op_num_threads, net.threads) == (of_a_run, at_once)


def test_the_threads_asked_for_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert open_net(network(), "other.onnx").threads == 5


class Session:
    """Counts the images of each run; a run's embedding is the image's first value. ``meet`` is called in every run."""

    def __init__(self, meet: Any = lambda: None) -> None:
        self.meet, self.runs, self.by = meet, [], set()

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="x")]

    def run(self, outputs: None, values: dict[str, Any]) -> list[Any]:
        self.meet()
        self.runs.append(len(values["x"]))
        self.by.add(threading.get_ident())
        return [values["x"][:, :1, 0, 0]]


def numbered(count: int) -> Any:
    """Images (count, 3, 1, 1) whose first value is their number."""
    return np.arange(count * 3, dtype=np.float32).reshape(count, 3, 1, 1) / 3


def test_parts_run_at_once_and_come_in_order() -> None:
    session = Session(threading.Barrier(2, timeout=20).wait)  # a run that is alone for 20 s breaks it
    before = threading.active_count()
    found = OnnxNet(session, 1, 1, None, None, threads=2)(numbered(8))
    assert found.ravel().tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert (session.runs, len(session.by), threading.active_count()) == ([2, 2, 2, 2], 2, before)


@pytest.mark.parametrize(
    ("images", "threads", "runs"),
    [(1, 4, [1]), (3, 4, [1, 1, 1]), (2, 1, [2]), (5, 2, [1, 2, 2]), (9, 4, [1, 2, 2, 2, 2])],
)
def test_no_thread_is_without_images_while_another_has_two(images: int, threads: int, runs: list[int]) -> None:
    session = Session()
    assert OnnxNet(session, 1, 1, None, None, threads)(numbered(images)).ravel().tolist() == list(range(images))
    assert sorted(session.runs) == runs


def test_a_single_part_is_run_by_the_caller() -> None:
    session = Session()
    OnnxNet(session, 1, 1, None, None, threads=2)(numbered(1))
    assert session.by == {threading.get_ident()}


def test_a_run_that_fails_is_told() -> None:
    def fail() -> None:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        OnnxNet(Session(fail), 1, 1, None, None, threads=2)(numbered(8))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no network", r"other.onnx: ONNX Runtime cannot read this network \(.*\); copy or export it again"),
        (network(outputs=2), "has 2 outputs .683, norm1., an embedding network has one; export the embedding alone"),
        (network(channels=1), r"takes input.1 tensor.float. \['N', 1, 16, 16\]; an embedding network takes one"),
        (network(size=(16, 32)), "takes images of 32x16 pixels; only square ones"),
        (network(size=("H", "W")), "does not take 112x112 RGB images"),
    ],
)
def test_what_cannot_embed_is_named(content: bytes, said: str) -> None:
    with pytest.raises(CheckpointError, match=said) as error:
        open_net(content, "other.onnx", threads=1)
    assert "\n" not in str(error.value)


def saying(properties: dict[str, str]) -> bytes:
    model = onnx.load_from_string(network())
    onnx.helper.set_model_props(model, properties)
    return bytes(model.SerializeToString())


def test_the_layout_is_what_the_file_says() -> None:
    own = Metadata("net", 1, SIZE, DIMENSIONS, "0.1", layout="dlib")
    net = open_net(saying(own.properties()), "own.onnx", threads=1)
    assert (net.layout, net.metadata) == ("dlib", own)
    assert open_net(network(), "other.onnx", threads=1).layout == "arcface"
    with pytest.raises(CheckpointError, match=r"own\.onnx: says that it takes faces in the layout 'mesh', not one of"):
        open_net(saying({**own.properties(), "fairface.layout": "mesh"}), "own.onnx", threads=1)


def test_an_export_from_before_layouts_were_written_is_still_ours() -> None:
    old = Metadata("net", 1, SIZE, DIMENSIONS, "0.1").properties()
    assert old.pop("fairface.layout") == "arcface"
    net = open_net(saying(old), "old.onnx", threads=1)
    assert (net.layout, net.metadata) == ("arcface", Metadata("net", 1, SIZE, DIMENSIONS, "0.1"))
    del old["fairface.pixels"]
    assert read_metadata(old) is None  # whatever else is missing, it is not


def test_the_step_to_8_bits_stays_behind_max_pooling(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime's MaxPool of 8 bits is slower than that of float32, and by itself it would take it."""
    real = onnxruntime.InferenceSession

    def pooled(**changed: Any) -> list[str]:
        """What makes the input of each MaxPool as the session runs it."""

        def session(content: bytes, options: Any, **more: Any) -> Any:
            options.optimized_model_filepath = str(tmp_path / "run.onnx")
            return real(content, options, **{**more, **changed})

        monkeypatch.setattr(onnxruntime, "InferenceSession", session)
        open_net(int8, "dlib.onnx", threads=1)
        nodes = onnx.load(tmp_path / "run.onnx").graph.node
        made_by = {name: node.op_type for node in nodes for name in node.output}
        return [made_by[node.input[0]] for node in nodes if node.op_type == "MaxPool"]

    int8 = small_dlib(int8=True)
    assert pooled(disabled_optimizers=[]) == ["QuantizeLinear"]  # the network is one that it matters to
    assert pooled() not in ([], ["QuantizeLinear"])
