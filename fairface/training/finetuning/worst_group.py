"""Which group a fairness step trains on: computed from the fairness report of the model before, on other subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fairface.config.schema import TrainConfig
from fairface.config.staged import GroupChoice
from fairface.data.selection import open_selected
from fairface.embedding.from_checkpoint import load_embedder
from fairface.errors import ConfigError, FairfaceError
from fairface.protocols.verification_set import open_verification_set
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.grouping import JOINT
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.fairness.result import FairnessResult
from fairface.scoring.fairness.threshold import calibrated_threshold
from fairface.scoring.fairness.worst import ERROR_TYPES, worst_group
from fairface.scoring.similarity import cosine_scores
from fairface.training.worst_rate import check_groups


@dataclass(frozen=True)
class GroupDecision:
    """What a step trains on.

    Attributes:
        where: a filter for ``data.where``; empty = all data.
        messages: why, for people: the worst group of either type of error with its interval, and what was done.
        before: the group's rate of the type of error that decided; None when no group was computed.
        report: the fairness report it rests on, JSON-ready; empty when the group was given by hand.
    """

    where: str
    messages: tuple[str, ...]
    before: float | None = None
    report: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"where": self.where, "messages": list(self.messages), "report": self.report}


def decide_group(choice: GroupChoice, config: TrainConfig, show_progress: bool = True) -> GroupDecision:
    """The most discriminated group of ``choice.protected`` for the model that ``config`` starts from.

    Raises:
        ConfigError: neither a group nor validation data with protected attributes are named.
        DataError, CheckpointError: they cannot be used.
    """
    if choice.group:
        return GroupDecision(choice.group, (f"group set by hand: {choice.group}",))
    _check_named(choice)
    return decide(fairness_of_start(choice, config, show_progress), choice)


def check_choice(choice: GroupChoice, config: TrainConfig) -> None:
    """Meet now what would stop the choice of a group, or training on it, when the steps before have trained.

    Raises:
        ConfigError, DataError: validation subjects or training data that cannot be used, attributes or values that they
            do not have.
    """
    whole = replace(config.data, only="")
    if choice.group:
        try:
            open_selected(replace(whole, where=join_filters(whole.where, choice.group)))
        except FairfaceError as error:
            raise ConfigError(f"fairness.group={choice.group} cannot be taken out of {whole.path}: {error}") from error
        return
    _check_named(choice)
    if Path(choice.validation).resolve() == Path(whole.path).resolve():
        raise ConfigError(
            f"fairness.validation is {choice.validation}, which is trained on: a model knows its subjects; name others"
        )
    data = open_verification_set(choice.validation, wanted=choice.protected)
    check_groups(data.comparisons, choice.protected, choice.fmr, choice.validation)
    known = open_selected(whole).attribute_names
    missing = [name for name in choice.protected if name not in known]
    if missing:
        raise ConfigError(
            f"{config.data.path}: has no attribute {', '.join(missing)} (it has: {', '.join(known) or 'none'}), so a "
            "group cannot be taken out of it; pack the data with its attributes (data_process/face2rec2.py)"
        )


def join_filters(*filters: str) -> str:
    """Filters for ``data.where`` that must all hold, as one."""
    return ",".join(filter(None, filters))


def _check_named(choice: GroupChoice) -> None:
    if not choice.validation or not choice.protected:
        raise ConfigError(
            "a step with worst_group needs fairness.validation and fairness.protected to compute the group, "
            "or fairness.group=name=value to set it by hand"
        )


def fairness_of_start(choice: GroupChoice, config: TrainConfig, show_progress: bool = True) -> FairnessResult:
    """The fairness of the model that ``config`` starts from on the validation subjects, at the threshold that gives
    them ``choice.fmr``; devices, batches and mirrored images are those of the run's verification."""
    data = open_verification_set(choice.validation, wanted=choice.protected)
    verify = config.verify
    embedder = load_embedder(
        config.start_from, config.devices, verify.batch_size, verify.flip, gpus=config.gpus, output=config.output,
        show_progress=show_progress,
    )  # fmt: skip
    embeddings = embedder.embed(data.images)
    scores = cosine_scores(embeddings, data.comparisons.a, data.comparisons.b)
    threshold = calibrated_threshold(scores, data.comparisons.same, choice.fmr)
    options = FairnessOptions(rounds=0, min_subjects=choice.min_subjects)
    return assess(scores, data.comparisons, choice.protected, threshold, options)


def decide(result: FairnessResult, choice: GroupChoice) -> GroupDecision:
    """The group that ``result`` names, as a filter; all data where none has enough subjects or any error."""
    grouping = result.groupings[JOINT.join(dict.fromkeys(choice.protected))]
    found = {error: worst_group(grouping, error) for error in ERROR_TYPES}
    messages = [f"threshold {result.threshold.value:.4g}: {result.threshold.how}"]
    messages += [found[error].message for error in ERROR_TYPES]
    group, rate = found[choice.error].group, found[choice.error].rate
    if group is None or rate is None:
        messages.append(f"no group can be chosen by {choice.error.upper()}: this step trains on all data")
        return GroupDecision("", tuple(messages), report=result.to_dict())
    where = where_of(group, choice.protected)
    messages.append(f"chosen by {choice.error.upper()}: this step trains on {where} only")
    return GroupDecision(where, tuple(messages), rate.value, result.to_dict())


def where_of(group: str, protected: Sequence[str]) -> str:
    """``f+dark`` of the attributes sex and skin as ``sex=f,skin=dark``.

    Raises:
        ConfigError: the values cannot be told apart, because one of them holds a plus or a comma.
    """
    names = list(dict.fromkeys(protected))
    values = group.split(JOINT) if len(names) > 1 else [group]
    if len(values) != len(names) or "," in group:
        raise ConfigError(f"group {group!r} cannot be written as a filter; set it by hand: fairness.group=name=value")
    return ",".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
