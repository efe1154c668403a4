"""A trained net without its BatchNorms, for inference: their factors and shifts go into the layers around them.

With running statistics BatchNorm is ``y = s * x + t`` per channel. It goes

1. into the convolution or fully connected layer before it, where its output goes nowhere else;
2. else into all layers behind it: weights take ``s``, biases ``t``. Exact for fully connected layers and for
   convolutions without padding. A padded convolution sees 0, not ``t``, beyond the border, so there ``t`` must be 0;
3. where it is not, ``s * x + t = s * (x + t / s)``: what comes before is made to give ``x + t / s``, and everybody else
   who takes ``x`` is made to expect that. A convolution before (or the last one before a sum) takes ``t / s`` into its
   bias; a convolution without padding, a BatchNorm, or the convolution on the other side of a sum takes it back.

With the third step nothing is left of the BatchNorms of insightface's residual units. A BatchNorm that fits none of
these stays as it is: before a padded convolution where a channel gate (squeeze-and-excitation) ends the unit, or where
some ``t / s`` is so large that float32 would round off what matters. Dropout goes as well, and so do computations on
parameters alone: their results become parameters. Layers that share parameters get copies, which are joined again where
they end alike. Everything is computed in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fairface.graph.editable import EditableGraph, Op, Values, evaluate
from fairface.graph.saved import Graph
from fairface.graph.shared import join, take_apart
from fairface.mx import nd

LARGEST_SHIFT = 16.0  # of the third step, in standard deviations of x

_SUMS = ("elemwise_add", "_plus", "_Plus")
_WITHOUT_EFFECT = ("_copy", "identity", "BlockGrad")
Change = Callable[[], None]


def fold(graph: Graph) -> Graph:
    """The same function of ``data`` with as few BatchNorms as possible."""
    net = EditableGraph(graph)
    copies = take_apart(net)
    for op in net.ops():
        if op.kind in _WITHOUT_EFFECT or (op.kind == "Dropout" and op.attributes.get("mode") != "always"):
            net.replace(op, op.inputs[0])
    _compute_constants(net)
    norms = [op for op in net.ops() if _is_norm(net, op)]
    norms = [norm for norm in norms if not _into_layer_before(net, norm)]
    for norm in norms:
        _into_layers_behind(net, norm)
    join(net, copies)
    return net.graph()


def batch_norms(graph: Graph) -> int:
    """How many BatchNorms the net has."""
    return sum(op.kind == "BatchNorm" for op in EditableGraph(graph).ops())


def _compute_constants(net: EditableGraph) -> None:
    """Put results in place of operators that depend on parameters alone."""
    for op in net.ops():
        sources = [source for source, _ in op.inputs]
        if not sources or op.kind == "null" or not all(s.kind == "null" and s.name in net.values for s in sources):
            continue
        result = evaluate(op.kind, op.attributes, [nd.array(net.values[source.name]) for source in sources])
        net.replace(op, (net.parameter(op.name, result.asnumpy().astype(np.float64)), 0))


def _is_norm(net: EditableGraph, op: Op) -> bool:
    plain = op.kind == "BatchNorm" and op.attributes.get("axis", "1") == "1" and not op.flag("output_mean_var", False)
    return plain and all(net.constant(source) for source, _ in op.inputs[1:])


def _affine(net: EditableGraph, norm: Op) -> tuple[Values, Values, Values]:
    """Factor and shift of a BatchNorm, and the running standard deviation, each (C,)."""
    gamma, beta, mean, variance = (net.values[source.name] for source, _ in norm.inputs[1:])
    deviation = np.sqrt(variance + float(norm.attributes.get("eps", 1e-3)))
    factor = (np.ones_like(gamma) if norm.flag("fix_gamma", True) else gamma) / deviation
    return factor, beta - mean * factor, deviation


def _into_layer_before(net: EditableGraph, norm: Op) -> bool:
    layer = norm.inputs[0][0]
    if not _mixes_channels(layer) or not net.constant(layer.inputs[1][0]) or not _bias_free(net, layer):
        return False
    if not net.sole_user(layer):
        return False
    factor, shift, _ = _affine(net, norm)
    weight = layer.inputs[1][0].name
    net.values[weight] = net.values[weight] * factor.reshape(-1, *[1] * (net.values[weight].ndim - 1))
    if len(layer.inputs) > 2:
        net.values[layer.inputs[2][0].name] *= factor
    _add_to_bias(net, layer, shift)
    net.replace(norm, (layer, 0))
    return True


def _into_layers_behind(net: EditableGraph, norm: Op) -> None:
    layers = _layers_behind(net, norm)
    if layers is None:
        return
    factor, shift, deviation = _affine(net, norm)
    if any(_padded(layer) for layer in layers) and np.any(shift):
        with np.errstate(divide="ignore", invalid="ignore"):
            earlier = np.where(shift == 0, 0.0, shift / factor)
        changes = _raised(net, norm, earlier)
        if not np.all(np.abs(earlier) <= LARGEST_SHIFT * deviation) or changes is None:
            return
        for change in changes:
            change()
        shift = np.zeros_like(shift)
    for layer in layers:
        _add_to_bias(net, layer, _through(net, layer, shift))
        weight = layer.inputs[1][0].name
        net.values[weight] = net.values[weight] * _per_input(layer, net.values[weight], factor)
    net.replace(norm, norm.inputs[0])


def _layers_behind(net: EditableGraph, norm: Op) -> list[Op] | None:
    """The layers that take a BatchNorm's output, directly or flattened; None where anybody else takes it too."""
    layers: list[Op] = []
    waiting = [(norm, False)]
    while waiting:
        source, flat = waiting.pop()
        if any(head[0] is source for head in net.heads):
            return None
        for user, position in net.users(source):
            if user.kind == "Flatten":
                waiting.append((user, True))
                continue
            if position != 0 or not _mixes_channels(user, flat):
                return None
            if not net.constant(user.inputs[1][0]) or not _bias_free(net, user):
                return None
            layers.append(user)
    return layers


def _raised(net: EditableGraph, norm: Op, shift: Values) -> list[Change] | None:
    """Changes after which a BatchNorm's input is higher by ``shift`` while everybody else's result stays.

    None where that cannot be had.
    """
    source, output = norm.inputs[0]
    before = _biased_before(net, source)
    if output != 0 or before is None:
        return None
    changes: list[Change] = [lambda: _add_to_bias(net, before, shift)]
    others = _absorbed(net, source, shift, norm)
    return None if others is None else changes + others


def _biased_before(net: EditableGraph, op: Op, besides: Op | None = None) -> Op | None:
    """A convolution whose bias shifts the result of ``op``: itself, or one that a sum alone takes."""
    if op.kind == "Convolution":
        return op if _bias_free(net, op) else None
    if op.kind in _SUMS:
        for source, _ in op.inputs:
            usable = source.kind == "Convolution" and source is not besides
            if usable and net.sole_user(source) and _bias_free(net, source):
                return source
    return None


def _absorbed(net: EditableGraph, source: Op, shift: Values, besides: Op | None) -> list[Change] | None:
    """Changes that let everybody but ``besides`` take a ``source`` that is higher by ``shift``."""
    if any(head[0] is source for head in net.heads):
        return None
    changes: list[Change] = []
    for user, position in net.users(source):
        if user is besides:
            continue
        more = _absorbed_by(net, user, position, source, shift)
        if more is None:
            return None
        changes += more
    return changes


def _absorbed_by(net: EditableGraph, user: Op, position: int, source: Op, shift: Values) -> list[Change] | None:
    if user.kind == "BatchNorm" and position == 0 and _is_norm(net, user):
        mean = user.inputs[3][0].name
        return [lambda: net.values.update({mean: net.values[mean] + shift})]
    if user.kind == "Convolution" and position == 0 and not _padded(user) and net.constant(user.inputs[1][0]):
        fits = _bias_free(net, user)
        return [lambda: _add_to_bias(net, user, -_through(net, user, shift))] if fits else None
    if user.kind in _SUMS:
        other = _biased_before(net, user, besides=source)
        return None if other is None else [lambda: _add_to_bias(net, other, -shift)]
    if user.kind == "Pooling" and user.attributes.get("pool_type", "max") == "max":
        return _absorbed(net, user, shift, None)
    return None


def _mixes_channels(layer: Op, flat: bool = False) -> bool:
    """Whether the layer takes whole channels of its input, ``flat`` or a map, and gives channels.

    A fully connected layer that keeps the axes of a map apart works along the last one instead.
    """
    if layer.kind == "FullyConnected":
        return flat or layer.flag("flatten", True)
    return layer.kind == "Convolution" and not flat


def _padded(layer: Op) -> bool:
    return layer.kind == "Convolution" and any(layer.numbers("pad"))


def _bias_free(net: EditableGraph, layer: Op) -> bool:
    """Whether the layer has no bias yet, or one of its own."""
    return len(layer.inputs) < 3 or net.constant(layer.inputs[2][0])


def _add_to_bias(net: EditableGraph, layer: Op, shift: Values) -> None:
    if len(layer.inputs) > 2:
        bias = layer.inputs[2][0].name
        net.values[bias] = net.values[bias] + shift
    elif np.any(shift):
        layer.inputs.append((net.parameter(f"{layer.name}_folded_bias", shift), 0))
        layer.attributes["no_bias"] = "False"


def _per_input(layer: Op, weight: Values, values: Sequence[float] | Values) -> Values:
    """A value per input channel in a form that multiplies the layer's weight."""
    channels = np.asarray(values)
    if layer.kind == "FullyConnected":
        return np.repeat(channels, weight.shape[1] // len(channels))[None]
    groups = int(layer.attributes.get("num_group", 1))
    rows = np.repeat(channels.reshape(groups, -1), weight.shape[0] // groups, axis=0)
    return rows.reshape(*rows.shape, *[1] * (weight.ndim - 2))


def _through(net: EditableGraph, layer: Op, shift: Values) -> Values:
    """What the layer makes of a constant input ``shift`` (C,), without its bias."""
    weight = net.values[layer.inputs[1][0].name]
    return np.asarray((weight * _per_input(layer, weight, shift)).reshape(len(weight), -1).sum(axis=1))
