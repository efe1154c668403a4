"""A block against numbers that a reference's own PyTorch module gave (computed in float64)."""

import numpy as np

from fairface.mx import autograd, nd


def torch_key(structural):
    """``bn1.gamma`` -> ``bn1.weight``: the spelling of PyTorch's state_dict."""
    layer, _, kind = structural.rpartition(".")
    return f"{layer}.{ {'gamma': 'weight', 'beta': 'bias'}.get(kind, kind) }"


def close(actual, expected, rtol):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * np.abs(expected).max() + 1e-9)


def load(block, vectors, case, key=torch_key):
    """Give ``block`` the weights of ``case``; every weight must have its place and every place its weight."""
    block.initialize()
    parameters = block._collect_params_with_prefix()
    for name, parameter in parameters.items():
        parameter.set_data(nd.array(vectors[f"{case}.w.{key(name)}"]))
    stored = {name.split(".w.")[1] for name in vectors.files if name.startswith(f"{case}.w.")}
    assert {key(name) for name in parameters} == {name for name in stored if not name.endswith("num_batches_tracked")}
    return parameters


def check(block, vectors, case, values_of, hybridize, key=torch_key):
    """Outputs, gradients and running statistics in evaluation and in training.

    ``values_of(layer)`` is the number n of values over which the BatchNorm ``layer`` (its key) averages. PyTorch keeps
    the unbiased variance, MXNet the biased one: the stored step of the running variance is scaled by (n - 1) / n.
    """
    parameters = load(block, vectors, case, key)
    before = {name: parameter.data().asnumpy() for name, parameter in parameters.items()}
    if hybridize:
        block.hybridize(static_alloc=True, static_shape=True)
    x, seed = nd.array(vectors[f"{case}.x"]), nd.array(vectors[f"{case}.gy"])
    x.attach_grad()
    for mode in ("eval", "train"):
        with autograd.record(train_mode=mode == "train"):
            y = block(x)
        y.backward(seed, train_mode=mode == "train")
        close(y.asnumpy(), vectors[f"{case}.y_{mode}"], 1e-5)
        close(x.grad.asnumpy(), vectors[f"{case}.gx_{mode}"], 1e-4)
    for name, parameter in parameters.items():
        if "running" not in name:
            expected = vectors[f"{case}.gw_train.{key(name)}"]
            # Some shifts have no effect before BatchNorm; their gradient is 0 and what float32 rounds.
            np.testing.assert_allclose(
                parameter.grad().asnumpy(), expected, rtol=0, atol=1e-4 * np.abs(expected).max() + 3e-5
            )
            continue
        expected = vectors[f"{case}.after_train.{key(name)}"].astype(float)
        if name.endswith("running_var"):
            n, kept = values_of(key(name).rpartition(".")[0]), 0.9 * before[name]
            expected = kept + (expected - kept) * (n - 1) / n
        close(parameter.data().asnumpy(), expected, 1e-5)
