"""What ``--dry-run`` looks at: a run as it would be prepared, also for GPUs that this machine does not have."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fairface.config.schema import TrainConfig
from fairface.errors import CheckpointError, DeviceError
from fairface.heads.sharded import ShardedClassifier, cut_classes
from fairface.parallel import contexts_of, cut_sources, named_devices
from fairface.precision import check_precision
from fairface.training.preflight import check_claim
from fairface.training.restore import check_data, newest_whole, saved_config
from fairface.training.resumable import check_resumable
from fairface.training.setup import Prepared, prepare


@dataclass(frozen=True)
class Plan:
    """A prepared run and the devices that it is meant for.

    Attributes:
        run: prepared for these devices, or for one CPU that stands in for them.
        devices: their names.
        lacking: why they cannot be used here; empty where they can.
        step: where a resumed run goes on; 0 for a new one.
        taken: why the run would not begin in its folder without another option; empty where it would.
    """

    run: Prepared
    devices: tuple[str, ...]
    lacking: str = ""
    step: int = 0
    taken: str = ""


def plan(config: TrainConfig, resume: bool = False, overwrite: bool = False) -> Plan:
    """Prepare ``config`` as training would; where its GPUs are not here, check it for as many of them.

    Raises:
        ConfigError, DataError, DeviceError: whatever would be wrong on a machine that has the devices.
        CheckpointError: with ``resume``, the run cannot go on, or not with this configuration and these data.
    """
    planned = _prepared(config)
    folder = planned.run.folder
    if resume:
        check_claim(folder, resume, overwrite)
        check_resumable(config, saved_config(folder))
        check_data(folder, planned.run.facts)
        return replace(planned, step=newest_whole(folder)[0].step)
    try:
        check_claim(folder, resume, overwrite)
    except CheckpointError as error:
        return replace(planned, taken=str(error))
    return planned


def _prepared(config: TrainConfig) -> Plan:
    devices, lacking = _devices(config)
    if not lacking:
        run = prepare(config)
        return Plan(run, tuple(map(str, run.world.contexts)))
    check_precision(config.precision, True, config.backbone.prelu)
    run = prepare(replace(config, devices="cpu0", gpus="", precision="fp32"))
    for block in run.method.blocks().values():
        if isinstance(block, ShardedClassifier):
            cut_classes(block.classes, len(devices), block.embedding)
    cut_sources([source.batch_size for source in run.method.sources()], len(devices))
    return Plan(run, devices, lacking)


def _devices(config: TrainConfig) -> tuple[tuple[str, ...], str]:
    """Names of the devices, and why they cannot be used."""
    named = named_devices(config.devices, config.gpus)
    try:
        if named:
            contexts_of(config.devices, config.gpus)
        elif config.precision == "fp16" and contexts_of()[0].device_type == "cpu":
            return ("gpu(0)",), "precision=fp16 needs a GPU, and there is none here that MXNet can use"
    except DeviceError as error:
        return tuple(f"{kind}({number})" for kind, number in named), str(error)
    return (), ""
