"""A net with RetinaFace's nine outputs, small enough to know its answer: white cells are faces."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from fairface.data.images import encode_png
from fairface.errors import CheckpointError
from fairface.faces.retinaface import RetinaFaceConfig
from fairface.interop.detector import load_retinaface
from fairface.mx import mx

sym = mx.sym
CPU = mx.cpu()
STRIDES = (32, 16, 8)
LOOK_AT = {32: 0, 8: 1}  # stride -> the colour whose brightness makes its second anchor a face
MOVE = (0.25, -0.5, 0.5, 0.0)
POINTS = tuple((i - 9.5) / 20 for i in range(20))


def level(x, stride):
    """The three outputs of a level: each cell looks at its own pixels."""
    cell = sym.Pooling(x, kernel=(stride, stride), stride=(stride, stride), pool_type="avg", name=f"pool{stride}")
    parts = {}
    for kind, channels in (("cls_score", 4), ("bbox_pred", 8), ("landmark_pred", 20)):
        name = f"face_rpn_{kind}_stride{stride}"
        parts[kind] = sym.Convolution(cell, num_filter=channels, kernel=(1, 1), name=name)
    two = sym.Reshape(parts["cls_score"], shape=(0, 2, -1, 0), name=f"face_rpn_cls_score_reshape_stride{stride}")
    odds = sym.SoftmaxActivation(two, mode="channel", name=f"face_rpn_cls_prob_stride{stride}")
    scores = sym.Reshape(odds, shape=(0, 4, -1, 0), name=f"face_rpn_cls_prob_reshape_stride{stride}")
    return [scores, parts["bbox_pred"], parts["landmark_pred"]]


def network(x=None):
    """insightface's outputs, with a BatchNorm so that there are auxiliary arrays too."""
    x = sym.BatchNorm(sym.Variable("data") if x is None else x, fix_gamma=True, eps=1e-5, name="bn_data")
    return [output for stride in STRIDES for output in level(x, stride)]


def parameters(symbol):
    shapes, _, aux = symbol.infer_shape(data=(1, 3, 64, 64))
    arrays = {f"arg:{key}": np.zeros(shape) for key, shape in zip(symbol.list_arguments(), shapes, strict=True)}
    arrays |= {f"aux:{key}": np.zeros(shape) for key, shape in zip(symbol.list_auxiliary_states(), aux, strict=True)}
    del arrays["arg:data"]
    arrays["aux:bn_data_moving_var"][:] = 1
    arrays["arg:bn_data_gamma"][:] = 1
    for stride in STRIDES:
        arrays[f"arg:face_rpn_cls_score_stride{stride}_bias"][2:] = -20
        arrays[f"arg:face_rpn_bbox_pred_stride{stride}_bias"][4:] = MOVE
        arrays[f"arg:face_rpn_landmark_pred_stride{stride}_bias"][:] = POINTS
    for stride, colour in LOOK_AT.items():
        arrays[f"arg:face_rpn_cls_score_stride{stride}_weight"][3, colour] = 40 / 255
    return {key: mx.nd.array(value) for key, value in arrays.items()}


def save(folder, outputs, arrays=None):
    symbol = sym.Group(outputs)
    symbol.save(str(folder / "R50-symbol.json"))
    mx.nd.save(str(folder / "R50-0000.params"), parameters(symbol) if arrays is None else arrays)
    return f"{folder / 'R50'},0"


def photograph():
    """160 x 120 pixels; a red cell of stride 32 at row 1, column 2, and a green one of stride 8 at row 3, column 14."""
    image = np.zeros((120, 160, 3), np.uint8)
    image[32:64, 64:96, 0] = 255
    image[24:32, 112:120, 1] = 255
    return image


def expected(row, column, stride, side):
    """Box and landmarks of the second anchor there, in edges and pixel centres."""
    x, y = 7.5 + column * stride, 7.5 + row * stride
    middle_x, middle_y = x + 0.5 + MOVE[0] * side, y + 0.5 + MOVE[1] * side
    half_x, half_y = math.exp(MOVE[2]) * side / 2, math.exp(MOVE[3]) * side / 2
    box = [middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y]
    points = np.array(POINTS[10:]).reshape(5, 2) * side + (x, y)
    return np.clip(box, 0, [160, 128, 160, 128]), points


@pytest.mark.parametrize("mixed", [False, True])
def test_a_face_is_found_where_it_is(tmp_path, mixed):
    outputs = network()
    name = save(tmp_path, outputs[::-1] if mixed else outputs)
    detector = load_retinaface(name, CPU)
    faces = detector.detect(photograph())
    assert len(faces) == 2
    assert (faces.scores > 0.999).all()
    order = np.argsort(-(faces.boxes[:, 2] - faces.boxes[:, 0]))
    for index, place in zip(order, ((1, 2, 32, 256), (3, 14, 8, 16)), strict=True):
        box, points = expected(*place)
        np.testing.assert_allclose(faces.boxes[index], box, atol=1e-3)
        np.testing.assert_allclose(faces.landmarks[index], points, atol=1e-3)
    assert len(detector.detect(photograph()[:, :64])) == 0  # another size, in the same net
    assert detector.config.model == name


def test_the_align_program_takes_it(tmp_path, root):
    photographs, out = tmp_path / "photographs", tmp_path / "out"
    photographs.mkdir()
    (photographs / "a.png").write_bytes(encode_png(photograph()))
    name = save(tmp_path, network())
    command = ["data_process/align.py", photographs, out, "--detector", name, "--jobs", 2, "--json"]
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["aligned"], report["failed"]) == (1, [])
    assert json.loads((out / "align.json").read_text())["detector"]["model"] == name


def test_models_without_the_nine_outputs(tmp_path):
    outputs = network()
    for wrong, count in ((outputs[:6], 0), ([*outputs, outputs[0]], 2)):
        with pytest.raises(CheckpointError, match=rf"R50-symbol.json: {count} of {len(wrong)} outputs"):
            load_retinaface(save(tmp_path, wrong, parameters(sym.Group(outputs))), CPU)
    dense = sym.FullyConnected(sym.Variable("data"), num_hidden=4, name="fc1")
    with pytest.raises(CheckpointError, match="0 of 1 output have shape"):
        load_retinaface(save(tmp_path, [dense], {"arg:fc1_weight": mx.nd.ones(1)}), CPU)


def test_names_and_files_that_cannot_be_used(tmp_path):
    name = save(tmp_path, network())
    for wrong in ("models/R50", f"{tmp_path / 'R100'},0", f"{tmp_path / 'R50'},7", f"{tmp_path / 'R50'},x"):
        with pytest.raises(CheckpointError):
            load_retinaface(wrong, CPU)
    arrays = parameters(sym.Group(network()))
    del arrays["arg:face_rpn_bbox_pred_stride8_bias"]
    with pytest.raises(CheckpointError, match=r"has no face_rpn_bbox_pred_stride8_bias"):
        load_retinaface(save(tmp_path, network(), arrays), CPU)
    (tmp_path / "R50-symbol.json").write_text("{}")
    with pytest.raises(CheckpointError, match="is not an MXNet symbol"):
        load_retinaface(name, CPU)


@pytest.mark.parametrize(("name", "said"), [
    ("models/R50", r"^models/R50: a detector is named prefix,epoch of an MXNet model, such as models/R50,0$"),
    ("{folder}/epoch=1,step=2.ckpt", r"step=2\.ckpt: is a PyTorch file; a detector is named prefix,epoch"),
])  # fmt: skip
def test_how_a_detector_is_named(tmp_path, name, said):
    (tmp_path / "epoch=1,step=2.ckpt").touch()
    with pytest.raises(CheckpointError, match=said):
        load_retinaface(name.format(folder=tmp_path), CPU)


def test_a_model_that_says_how_many_channels_it_takes(tmp_path):
    """Three are RGB; a model of four is refused before its weights are read."""

    def of(channels):
        weight = sym.var("mixed", shape=(3, channels, 1, 1))
        return network(sym.Convolution(sym.Variable("data"), weight, kernel=(1, 1), num_filter=3, no_bias=True))

    arrays = parameters(sym.Group(network())) | {"arg:mixed": mx.nd.array(np.eye(3).reshape(3, 3, 1, 1))}
    config = RetinaFaceConfig(threshold=0.9, longest=64)
    detector = load_retinaface(save(tmp_path, of(3), arrays), CPU, config)
    assert (detector.config.threshold, detector.config.longest) == (0.9, 64)
    assert detector.config.model == f"{tmp_path / 'R50'},0"
    with pytest.raises(CheckpointError, match=r"R50-symbol\.json: does not take RGB images as `data`; name a Retina"):
        load_retinaface(save(tmp_path, of(4), arrays), CPU)


def test_a_model_whose_arrays_do_not_fit_does_not_run(tmp_path):
    arrays = parameters(sym.Group(network()))
    arrays["arg:face_rpn_bbox_pred_stride8_weight"] = mx.nd.zeros((8, 5, 1, 1))
    said = r"R50-symbol\.json: does not run on cpu\(0\) \(.*\); use another"
    with pytest.raises(CheckpointError, match=said) as caught:
        load_retinaface(save(tmp_path, network(), arrays), CPU)
    assert "\n" not in str(caught.value)


def test_parameters_with_colons_in_their_names(tmp_path):
    outputs = network()
    outputs[1] = sym.Convolution(outputs[1], sym.var("net:extra"), kernel=(1, 1), num_filter=8, no_bias=True)
    arrays = parameters(sym.Group(network()))
    with pytest.raises(CheckpointError, match=r"R50-0000\.params: has no net:extra, which .*R50-symbol\.json needs"):
        load_retinaface(save(tmp_path, outputs, arrays), CPU)
    arrays["arg:net:extra"] = mx.nd.array(np.eye(8).reshape(8, 8, 1, 1))
    assert len(load_retinaface(save(tmp_path, outputs, arrays), CPU).detect(photograph())) == 2
