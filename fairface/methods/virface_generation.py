"""What VirFace's generator makes of a step's embeddings: outputs for labeled ones, instances of virtual classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairface.config.schema import VirFaceConfig
from fairface.heads.classifier import Classifier
from fairface.methods.generator import Generator
from fairface.methods.virface_losses import class_centres, divergence, squared_error, unit
from fairface.methods.virface_parts import Part, virtual_classes
from fairface.mx import NDArray, autograd, nd
from fairface.parallel import World


@dataclass(frozen=True)
class Generated:
    """Of one device's embeddings.

    Attributes:
        output: (b, D), for its labeled embeddings, with ``mean`` and ``log_variance`` (b, Z).
        instances: (count * u, D): one of each of its virtual classes, then another of each, and so on; None where there
            are none.
    """

    output: NDArray
    mean: NDArray
    log_variance: NDArray
    instances: NDArray | None


def generate(
    generator: Generator, parts: Sequence[Part], count: int, train_backbone: bool, world: World
) -> list[Generated]:
    """Run the generator once on every device: on its labeled embeddings and ``count`` times on its unlabeled ones.

    The noise of the whole batch is drawn on the first device of all, so it is the same whatever the number of devices;
    the trainer seeds it in every step. Labeled embeddings get no gradient from the generator (as in the released code);
    unlabeled ones do with ``train_backbone``.
    """
    labeled, virtual = world.counts(sum(len(part.labeled) for part in parts)), virtual_classes(parts, world)
    rows, first = sum(labeled), sum(labeled[: world.rank])
    with autograd.pause():
        noise = nd.random.normal(shape=(rows + count * virtual, generator.latent), ctx=parts[0].context)
        noise = world.of_lead(noise)
    generated: list[Generated] = []
    for part in parts:
        own = len(part.labeled)
        inputs, drawn = [unit(part.labeled.detach())], [noise[first : first + own]]
        if count and part.unlabeled is not None:
            source = part.unlabeled if train_backbone else part.unlabeled.detach()
            inputs.append(nd.tile(unit(source), reps=(count, 1)))
            drawn.append(_noise_of(part, noise[rows:], count, virtual))
        with autograd.pause():
            of_device = nd.concat(*drawn, dim=0).as_in_context(part.context)
        output, mean, log_variance = generator(nd.concat(*inputs, dim=0), of_device)
        instances = output[own:] if len(inputs) > 1 else None
        generated.append(Generated(output[:own], mean[:own], log_variance[:own], instances))
        first += own
    return generated


def _noise_of(part: Part, noise: NDArray, count: int, virtual: int) -> NDArray:
    """(count * u, Z): a device's share of ``noise (count * U, Z)``."""
    with autograd.pause():
        by_class = noise.reshape((count, virtual, -1))
        own = nd.slice_axis(by_class, axis=1, begin=part.first, end=part.first + part.count)
        return own.reshape((count * part.count, -1))


def reconstruction(
    parts: Sequence[Part], generated: Sequence[Generated], head: Classifier, options: VirFaceConfig, rows: int
) -> dict[str, list[NDArray]]:
    """The generator's own losses, one scalar a device: ``l2`` and ``kl`` with their weights, means over the ``rows``
    labeled embeddings of the whole batch and over values."""
    losses: dict[str, list[NDArray]] = {"l2": [], "kl": []}
    for part, made in zip(parts, generated, strict=True):
        centres = class_centres(head, part.labels, options.l2_moves_classes)
        l2_weight = options.l2_weight / (rows * made.output.shape[1])
        kl_weight = options.kl_weight / (rows * made.mean.shape[1])
        losses["l2"].append(squared_error(made.output, centres) * l2_weight)
        losses["kl"].append(divergence(made.mean, made.log_variance) * kl_weight)
    return losses
