"""VirFace's losses and generator against numbers of the released implementation."""

from __future__ import annotations

import numpy as np
import pytest

from fairface.config.schema import HeadConfig, VirFaceConfig
from fairface.heads import build_head
from fairface.heads.loss import CrossEntropy
from fairface.methods.generator import Generator
from fairface.methods.virface_generation import Generated, reconstruction
from fairface.methods.virface_losses import unclaimed, unit
from fairface.methods.virface_parts import Part, centres_on
from fairface.mx import autograd, mx, nd
from fairface.parallel import World
from fairface.parameters import structural
from unittests.heads.helpers import close, vectors

WORLD = World((mx.cpu(),))


def watched(values: np.ndarray) -> nd.NDArray:
    array = nd.array(values, dtype="float32")
    array.attach_grad()
    return array


@pytest.mark.parametrize("case", ["virface", "overlap"])
def test_class_losses_of_labeled_images_and_of_instances(case: str) -> None:
    v = vectors("head_virface")
    classes, embedding = v["weight"].shape
    head = build_head(HeadConfig(name="arcface_linear", s=float(v["s"]), m2=float(v["m"])), embedding, classes)
    head.initialize()
    head.weight.set_data(nd.array(v["weight"]))
    x, unlabeled, instances = (watched(v[key]) for key in ("x", "unlabel_x", "unlabel_aug"))
    copies, kept = int(v["gen_num"]), np.arange(len(v["unlabel_x"]))
    if case == "overlap":
        kept = unclaimed(head, unlabeled, 0.8)
    labels = nd.array(v["label"], dtype="int32")
    for name, wanted in (("vc", ["x", "weight", "unlabel_x"]), ("vi", ["weight", "unlabel_x", "unlabel_aug"])):
        for array in (x, unlabeled, instances):
            array.grad[:] = 0
        with autograd.record():
            part = Part(x, labels, nd.take(unlabeled, nd.array(kept)), 0)
            centres = centres_on([part], mx.cpu(), WORLD, with_gradient=name == "vc")
            rows, targets = x, labels
            if name == "vi":
                chosen = np.concatenate([kept + copy * len(v["unlabel_x"]) for copy in range(copies)])
                rows = unit(nd.take(instances, nd.array(chosen)))
                targets = nd.array(np.tile(classes + np.arange(len(kept)), copies), dtype="int32")
            logits = head(rows, targets, centres=centres)
            loss = CrossEntropy()(logits, targets).mean()
        loss.backward()
        assert loss.asscalar() == pytest.approx(float(v[f"{case}_loss_{name}"]), rel=1e-5, abs=4e-6)
        close(logits.asnumpy(), v[f"{case}_logits{'_aug' * (name == 'vi')}"], 1e-5)
        found = {"x": x.grad, "weight": head.weight.grad(), "unlabel_x": unlabeled.grad, "unlabel_aug": instances.grad}
        for key in wanted:
            close(found[key].asnumpy(), v[f"{case}_grad_{name}_{key}"], 2e-4)


def test_generator_and_its_losses() -> None:
    v = vectors("virface_generator")
    hidden, embedding = v["w.en1.weight"].shape
    latent, classes = len(v["w.en_mean.bias"]), len(v["head_weight"])
    generator = Generator(embedding, hidden, latent)
    generator.initialize()
    for name, parameter in structural(generator).items():
        parameter.set_data(nd.array(v[f"w.{name}"]))
    head = build_head(HeadConfig(name="arcface_linear"), embedding, classes)
    head.initialize()
    head.weight.set_data(nd.array(v["head_weight"]))
    x, labels = watched(v["x"]), nd.array(v["label"], dtype="int32")
    options = VirFaceConfig(kl_weight=float(v["w_kl"]), l2_weight=float(v["w_mse"]), l2_moves_classes=True)
    with autograd.record():
        output, mean, log_variance = generator(unit(x), nd.array(v["eps"]))
        made = [Generated(output, mean, log_variance, None)]
        losses = reconstruction([Part(x, labels, None, 0)], made, head, options, len(v["x"]))
        total = losses["l2"][0] + losses["kl"][0]
    total.backward()
    close(output.asnumpy(), v["recon"], 1e-5)
    assert losses["l2"][0].asscalar() == pytest.approx(float(v["w_mse"] * v["loss_mse"]), rel=1e-5)
    assert losses["kl"][0].asscalar() == pytest.approx(float(v["w_kl"] * v["loss_kl"]), rel=1e-5)
    close(x.grad.asnumpy(), v["grad_x"], 1e-4)
    close(head.weight.grad().asnumpy(), v["grad_head_weight"], 1e-4)
    for name, parameter in structural(generator).items():
        close(parameter.grad().asnumpy(), v[f"grad.{name}"], 1e-4)
    for copy, noise in enumerate(v["aug_eps"]):
        rows = unit(generator(unit(x), nd.array(noise))[0]).asnumpy()
        close(rows, v["aug"][copy * len(rows) : (copy + 1) * len(rows)], 1e-5)
