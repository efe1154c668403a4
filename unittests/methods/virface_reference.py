"""VirFace's losses as plain float64 loops, from pixels to numbers; what is detached is an argument of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fairface.config.schema import VirFaceConfig

Values = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Step:
    """What a step computes with: images (B, 3 H W) 0..255, labels of the labeled ones (they stand first), noise, s."""

    images: np.ndarray
    labels: np.ndarray
    noise: np.ndarray
    s: float
    m3: float


def unit(row: np.ndarray) -> np.ndarray:
    return row / math.sqrt(sum(value * value for value in row))


def embeddings(step: Step, values: Values) -> list[np.ndarray]:
    weight, bias = values["backbone.dense.weight"], values["backbone.dense.bias"]
    return [weight @ (image / 255 - 0.5) + bias for image in step.images]


def cross_entropy(row: np.ndarray, target: int, columns: list[np.ndarray], step: Step) -> float:
    """CosFace: the margin is taken off the target's cosine."""
    logits = [step.s * (unit(row) @ unit(column) - step.m3 * (j == target)) for j, column in enumerate(columns)]
    highest = max(logits)
    return highest + math.log(sum(math.exp(value - highest) for value in logits)) - logits[target]


def generated(row: np.ndarray, noise: np.ndarray, values: Values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    def layer(name: str, x: np.ndarray) -> np.ndarray:
        return values[f"generator.{name}.weight"] @ x + values[f"generator.{name}.bias"]

    hidden = np.maximum(layer("en1", unit(row)), 0)
    mean, log_variance = layer("en_mean", hidden), layer("en_var", hidden)
    drawn = np.array([m + math.exp(v / 2) * e for m, v, e in zip(mean, log_variance, noise, strict=True)])
    return layer("de2", np.maximum(layer("de1", drawn), 0)), mean, log_variance


def kept(step: Step, rows: list[np.ndarray], weight: np.ndarray, options: VirFaceConfig) -> list[int]:
    if not options.overlap:
        return list(range(len(rows)))
    chosen = []
    for i, row in enumerate(rows):
        powers = [math.exp(step.s * (unit(row) @ unit(column))) for column in weight]
        if max(powers) / sum(powers) < options.overlap:
            chosen.append(i)
    return chosen


def losses(step: Step, values: Values, fixed: Values, options: VirFaceConfig) -> dict[str, float]:
    """The weighted losses by name. ``fixed`` are the values behind every stopped gradient; equal to ``values`` but for
    finite differences."""
    count = len(step.labels)
    moving, still = embeddings(step, values), embeddings(step, fixed)
    weight = values["head.weight"]
    virtual = kept(step, moving[count:], weight, options)
    centres = [(moving if options.centres_train_backbone else still)[count + u] for u in virtual]
    real = list(weight)
    found = {"loss": sum(cross_entropy(moving[i], step.labels[i], real + centres, step) for i in range(count)) / count}
    if "generator.en1.weight" not in values:
        return found
    rows = moving if options.instances_train_backbone else still
    centres = [rows[count + u] for u in virtual]
    instances = 0.0
    for copy in range(options.gen_num):
        for place, centre in enumerate(centres):
            made = generated(centre, step.noise[count + copy * len(virtual) + place], values)[0]
            instances += cross_entropy(made, len(real) + place, real + centres, step)
    share = options.instance_weight / max(1, len(virtual)) / (options.gen_num if options.instance_mean else 1)
    return {**found, "instances": instances * share, **reconstruction(step, values, fixed, still, options)}


def reconstruction(
    step: Step, values: Values, fixed: Values, rows: list[np.ndarray], options: VirFaceConfig
) -> dict[str, float]:
    """The generator's own losses; its inputs are constants."""
    weight = (values if options.l2_moves_classes else fixed)["head.weight"]
    errors, divergences = [], []
    for i, label in enumerate(step.labels):
        output, mean, log_variance = generated(rows[i], step.noise[i], values)
        errors += [float(gap) ** 2 for gap in unit(output) - unit(weight[label])]
        divergences += [0.5 * (m * m + math.exp(v) - 1 - v) for m, v in zip(mean, log_variance, strict=True)]
    return {
        "l2": options.l2_weight * sum(errors) / len(errors),
        "kl": options.kl_weight * sum(divergences) / len(divergences),
    }
