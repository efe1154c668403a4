"""Bytes that a training step moves, by layout, and what is left of the speed: for planning, nothing is measured.

Gradients are float32. In a ring all-reduce (Patarasu and Yuan 2009) each of n devices sends ``2 (n - 1) / n`` times the
array; over a parameter server a worker sends it once and receives it once. With the classes split over devices (partial
FC, An et al. 2021) every device sees the embeddings of the whole batch, and three numbers a row travel for the softmax:
its highest logit, its sum of exponentials, its target's logit.
"""

from __future__ import annotations

from dataclasses import dataclass

_FLOAT = 4  # bytes
_SOFTMAX = 3  # numbers of a row that devices bring together
_LABEL = 4  # values of two bytes that a label travels as


@dataclass(frozen=True)
class Plan:
    """A training run of several devices.

    Attributes:
        parameters: of the backbone.
        identities: classes.
        devices: n, each with ``batch`` images a step.
        embedding: values of an embedding.
    """

    parameters: float
    identities: float
    devices: int
    batch: int
    embedding: int = 512

    @property
    def head(self) -> float:
        """Values of all class weights."""
        return self.identities * self.embedding


def ring(values: float, devices: int) -> float:
    """Bytes that each device sends to add up float32 ``values`` over all."""
    return 2 * (devices - 1) / devices * values * _FLOAT


def data_parallel(plan: Plan) -> float:
    """Bytes each device sends in a step where all hold all classes."""
    return ring(plan.parameters + plan.head, plan.devices)


def over_server(plan: Plan) -> float:
    """Bytes each worker sends and receives in a step of ``--workers`` (MXNet's kvstore), where all hold all classes.
    The servers together move ``devices`` times as much."""
    return 2 * (plan.parameters + plan.head) * _FLOAT


def class_sharded(plan: Plan) -> float:
    """Bytes each device sends in a step where each holds an equal part of the classes: the backbone's gradients, the
    embeddings of the batch and their gradients, the softmax's numbers."""
    rows = plan.batch * plan.devices
    embeddings = rows * plan.embedding
    gathered = (plan.devices - 1) / plan.devices * embeddings * _FLOAT
    return ring(plan.parameters, plan.devices) + gathered + ring(embeddings + _SOFTMAX * rows, plan.devices)


def sharded_over_server(plan: Plan) -> float:
    """Bytes each worker sends and receives in a step of ``--workers`` with the classes split, one device a worker.

    The server adds up, so rows are joined as blocks among zeros: every worker sends and receives as much as all rows
    are, and again for their gradients.
    """
    rows = plan.batch * plan.devices
    recorded = rows * (plan.embedding + 1 + _SOFTMAX * plan.devices)  # 1 is the target's cosine
    return 2 * _FLOAT * (plan.parameters + 2 * recorded + _LABEL * rows)


def saved_over_server(plan: Plan) -> float:
    """Bytes each worker sends and receives for a checkpoint of split classes and their momentum."""
    return 2 * 2 * plan.head * _FLOAT


def head_memory(plan: Plan, sharded: bool) -> float:
    """Bytes of class weights, gradients and momentum on each device."""
    return 3 * plan.head * _FLOAT / (plan.devices if sharded else 1)


def efficiency(compute: float, moved: float, link: float) -> float:
    """Share of the time that a device computes, when it neither computes nor sends at once.

    Args:
        compute: seconds of a step without the others.
        moved: bytes of a step.
        link: bytes a second.
    """
    return compute / (compute + moved / link)
