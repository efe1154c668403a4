import numpy as np
import pytest

from fairface import parallel
from fairface.backbones import build_backbone
from fairface.config.schema import BackboneConfig, HeadConfig
from fairface.data.types import Batch
from fairface.errors import ConfigError, DeviceError
from fairface.heads import build_head
from fairface.heads.loss import CrossEntropy
from fairface.mx import autograd, mx, nd
from fairface.parallel import World, contexts_of, count_gpus, cut_sources, shard, to_input

CPUS = [mx.cpu(0), mx.cpu(1)]


def batch(rows=5, size=32, attributes=2):
    rng = np.random.default_rng(0)
    return Batch(
        images=rng.integers(0, 256, (rows, size, size, 3), dtype=np.uint8),
        labels=np.arange(rows, dtype=np.int32) - 1,
        source=np.zeros(rows, np.int16),
        attributes=rng.integers(-1, 3, (rows, attributes)).astype(np.int8),
        indices=np.arange(rows, dtype=np.int64),
        extra={"nose": rng.normal(size=(rows, 2)).astype(np.float32)},
    )


def test_contexts_by_name():
    assert contexts_of("cpu0,cpu1") == CPUS
    assert contexts_of("cpu") == [mx.cpu(0)]
    assert contexts_of(" cpu(2) , cpu0") == [mx.cpu(2), mx.cpu(0)]
    assert contexts_of() == ([mx.gpu(0)] if count_gpus() else [mx.cpu(0)])


@pytest.mark.parametrize(
    ("devices", "gpus", "message"),
    [
        ("cpu0", "0", "give one"),
        ("tpu0", "", "tpu0"),
        ("cpu0,cpu0", "", "twice"),
        ("", "a", "gpua"),
        ("cpu0,", "", "''"),
    ],
)
def test_devices_that_cannot_be_read(devices, gpus, message):
    with pytest.raises(ConfigError, match=message):
        contexts_of(devices, gpus)


def test_gpu_that_does_not_exist():
    with pytest.raises(DeviceError, match="GPU 99"):
        contexts_of(gpus="99")


def test_gpu_beyond_those_present(monkeypatch):
    class WithCuda:
        def is_enabled(self, _):
            return True

    monkeypatch.setattr(mx.runtime, "Features", WithCuda)
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 2)
    assert contexts_of(gpus="1,0") == [mx.gpu(1), mx.gpu(0)]
    assert contexts_of() == [mx.gpu(0)]
    with pytest.raises(DeviceError, match=r"GPU 2, but this machine has GPUs 0 to 1"):
        contexts_of(gpus="0,2")

    def broken():
        raise mx.MXNetError("driver")

    monkeypatch.setattr(mx.context, "num_gpus", broken)
    with pytest.raises(DeviceError, match="nvidia-smi"):
        contexts_of("gpu0")


@pytest.mark.parametrize(
    ("capabilities", "chosen", "passed"),
    [
        ([(7, 0), (8, 9)], mx.gpu(0), 0),
        ([(9, 0), (8, 0)], mx.gpu(1), 1),
        ([(9, 0), (12, 0)], mx.cpu(0), 2),
        ([], mx.gpu(0), 0),  # a driver that does not say
    ],
)
def test_a_gpu_without_code_is_passed_over(monkeypatch, capsys, capabilities, chosen, passed):
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 2)
    monkeypatch.setattr(parallel, "compute_capabilities", lambda: capabilities)
    assert contexts_of() == [chosen]
    assert capsys.readouterr().err.count("is skipped") == passed


@pytest.mark.parametrize("with_cuda", [False, True])
def test_a_named_gpu_without_code_is_refused_with_the_reason(monkeypatch, with_cuda):
    """Whatever MXNet is installed: nobody shall fetch the CUDA package for it."""
    enabled = type("Features", (), {"is_enabled": lambda self, name: with_cuda})
    monkeypatch.setattr(mx.runtime, "Features", enabled)
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 2)
    monkeypatch.setattr(parallel, "compute_capabilities", lambda: [(8, 9), (9, 0)])
    for wish in ({"gpus": "1"}, {"devices": "gpu1"}):
        with pytest.raises(DeviceError, match=r"GPU 1 of compute capability 9\.0; .* 5\.0 to 8\.9 only.*devices=cpu0"):
            contexts_of(**wish)
    if with_cuda:
        assert contexts_of(gpus="0") == [mx.gpu(0)]


def test_input_keeps_pixels_and_moves_channels_first():
    images = batch().images
    array = to_input(images, mx.cpu(1))
    assert array.context == mx.cpu(1)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array.asnumpy(), images.transpose(0, 3, 1, 2).astype(np.float32))


@pytest.mark.parametrize("rows", [2, 5, 6])
def test_shards_hold_every_row_once_and_in_order(rows):
    whole = batch(rows)
    shards = shard(whole, World(tuple(CPUS)))
    assert [s.images.context for s in shards] == CPUS
    assert [len(s.labels) for s in shards] == [rows - rows // 2, rows // 2]
    for name in ("labels", "source", "attributes"):
        joined = np.concatenate([getattr(s, name).asnumpy() for s in shards])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    images = np.concatenate([s.images.asnumpy() for s in shards])
    np.testing.assert_array_equal(images, whole.images.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(np.concatenate([s.extra["nose"].asnumpy() for s in shards]), whole.extra["nose"])
    assert shards[0].labels.dtype == np.int32


def test_large_labels_stay_exact():
    whole = batch(2)
    whole.labels[:] = (2**24 + 1, 2**31 - 1)
    assert shard(whole, World((mx.cpu(),)))[0].labels.asnumpy().tolist() == [2**24 + 1, 2**31 - 1]


def test_batch_without_attributes():
    assert shard(batch(attributes=0), World(tuple(CPUS)))[1].attributes is None


def test_batch_smaller_than_devices_is_refused():
    with pytest.raises(ConfigError, match="source 0 has 1 row"):
        shard(batch(1), World(tuple(CPUS)))


def test_gather_gives_every_device_all_rows_and_gradients_go_home():
    a, b = nd.array([[1.0, 2.0]], ctx=CPUS[0]), nd.array([[3.0, 4.0], [5.0, 6.0]], ctx=CPUS[1])
    whole = np.array([[1.0, 2], [3, 4], [5, 6]])
    first, second = np.array([[1.0, 0], [2, 0], [3, 1]]), np.array([[0.5, 1], [1, 1], [0, 7]])
    for array in (a, b):
        array.attach_grad()
    with autograd.record():
        on_first, on_second = World(tuple(CPUS)).gather([a, b])
        losses = [(on_first * nd.array(first, ctx=CPUS[0])).sum(), (on_second * nd.array(second, ctx=CPUS[1])).sum()]
    autograd.backward(losses)
    assert (on_first.context, on_second.context) == tuple(CPUS)
    np.testing.assert_array_equal(on_first.asnumpy(), whole)
    np.testing.assert_array_equal(on_second.asnumpy(), whole)
    np.testing.assert_array_equal(a.grad.asnumpy(), (first + second)[:1])
    np.testing.assert_array_equal(b.grad.asnumpy(), (first + second)[1:])
    assert World((CPUS[0],)).gather([a])[0] is a


def losses_of(contexts, net, head, whole):
    """Cross-entropy over the batch plus the variance of all embeddings' norms, which needs every device's rows."""
    criterion = CrossEntropy()
    shards = shard(whole, World(tuple(contexts)))
    with autograd.record(train_mode=False):  # BatchNorm with its running statistics
        embeddings = [net(s.images) for s in shards]
        everyone = World(tuple(contexts)).gather(embeddings)
        losses = []
        for part, embedding, joined in zip(shards, embeddings, everyone, strict=True):
            norms = joined.square().sum(axis=1).sqrt()
            spread = (norms - norms.mean()).square().mean() / len(shards)
            losses.append(criterion(head(embedding, part.labels), part.labels).sum() / len(whole) + spread)
    autograd.backward(losses, train_mode=False)
    return sum(float(loss.asscalar()) for loss in losses)


def test_two_devices_give_the_loss_and_gradient_of_one():
    whole = batch(7)
    results = []
    for contexts in ([mx.cpu(0)], CPUS):
        mx.random.seed(11)
        net = build_backbone(BackboneConfig(name="fresnet_tiny", embedding=16, width=0.25, dropout=0.0), 32)
        head = build_head(HeadConfig(s=16.0), 16, 6)
        for block in (net, head):
            block.initialize(ctx=contexts)
            block.hybridize()
        loss = losses_of(contexts, net, head, whole)
        gradients = {}
        for part in (net, head):
            for name, parameter in part._collect_params_with_prefix().items():
                if parameter.grad_req != "null":
                    gradients[name] = sum(g.asnumpy() for g in parameter.list_grad())
        results.append((loss, gradients))
    (one, expected), (two, actual) = results
    assert two == pytest.approx(one, rel=1e-5)
    for name, gradient in expected.items():
        np.testing.assert_allclose(actual[name], gradient, atol=1e-4 * np.abs(gradient).max() + 1e-7, err_msg=name)


@pytest.mark.parametrize("devices", [1, 2, 3])
@pytest.mark.parametrize("counts", [(5, 4), (3, 3, 3), (7, 3), (4, 5, 8)])
def test_every_source_is_cut_by_itself(counts, devices):
    contexts = [mx.cpu(k) for k in range(devices)]
    whole = batch(sum(counts))
    whole.source[:] = np.repeat(np.arange(len(counts)), counts)
    shards = shard(whole, World(tuple(contexts)))
    sizes = [len(s.labels) for s in shards]
    assert sum(sizes) == sum(counts)
    assert max(sizes) - min(sizes) <= 1  # the odd rows of all sources do not come to one device
    for number in range(len(counts)):
        parts = [s.labels.asnumpy()[s.rows[number]] for s in shards]
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        np.testing.assert_array_equal(np.concatenate(parts), whole.labels[whole.source == number])
        assert all((s.source.asnumpy()[s.rows[number]] == number).all() for s in shards)
        assert all((s.batch_rows, s.source_rows) == (sum(counts), counts) for s in shards)
        images = np.concatenate([s.images.asnumpy()[s.rows[number]] for s in shards])
        np.testing.assert_array_equal(images, whole.images[whole.source == number].transpose(0, 3, 1, 2))


def test_a_source_with_fewer_rows_than_devices_is_named():
    with pytest.raises(ConfigError, match="source 1 has 2 rows"):
        cut_sources([9, 2], 3)


def test_one_process_is_a_world_of_its_own():
    world = World((mx.cpu(0),))
    assert (world.rank, world.size) == (0, 1)
    assert world.any(True)
    assert not world.any(False)
    np.testing.assert_array_equal(world.sum(np.arange(3.0)), np.arange(3.0))
    world.barrier()
