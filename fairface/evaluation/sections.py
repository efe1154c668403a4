"""The evaluation as tables with headings; those about groups are the fairness report's own."""

from __future__ import annotations

import math
from dataclasses import replace

from fairface.evaluation.assessment import Assessment
from fairface.evaluation.facts import RunFacts
from fairface.evaluation.finetuning_stages import FinetuningStages
from fairface.evaluation.judged import ALL_STEPS, THREE_STEP, WITHOUT
from fairface.evaluation.limits import what_cannot_be_shown
from fairface.evaluation.stage_sections import stage_sections
from fairface.quantity import quantity
from fairface.report.fairness_numbers import rate_text
from fairface.report.fairness_report import FairnessReport
from fairface.report.fairness_sections import fairness_sections
from fairface.report.section import Section
from fairface.report.verification_table import verification_notes, verification_rows
from fairface.scoring.transductive.chain import TRANSDUCTIVE
from fairface.scoring.verification import VerificationResult

STEPS = {
    "rerank": "re-ranking by the neighbours that two images share",
    "cut": "gap cut by each image's other scores",
    "fuse": "fusion with the hard-sample model, on a scale of its own",
}
TRANSDUCTION = (
    f"{TRANSDUCTIVE}: other pairs of the list changed the score of a pair; another list gives other scores for the "
    "same two images, so these numbers are valid for the whole list and not for a single 1:1 comparison"
)

PLAIN = "plain cosines"  # what the scores after all steps are compared with

ALL, RATES, NONE = "all", "rates", "none"
_RATES = "Groups by"


def evaluation_sections(
    facts: RunFacts, found: Assessment | None, groups: str = ALL, stages: FinetuningStages | None = None
) -> list[Section]:
    """Everything about one evaluation.

    Args:
        facts: what was done.
        found: None where the truth is not known.
        groups: which tables about groups there are: ``ALL``, those of their error ``RATES``, or ``NONE``, where
            something else shows groups and verdict.
        stages: of a finetuning, where they are to be shown.
    """
    sections = [_head(facts), _steps(facts)]
    if found is None:
        return [*sections, Section("Result", lines=["no truth was given, so there are no error rates"])]
    sections.append(_verification(facts, found))
    if found.fairness is not None:
        kind = f", {TRANSDUCTIVE} scores" if facts.transductive else ""
        sections += [] if groups == NONE else [_verdict(found.fairness)]
        sections.append(_threshold(found.fairness, facts.transductive))
        tables = _fairness(found.fairness, f"all images{kind}") if groups != NONE else []
        sections += [one for one in tables if groups == ALL or one.title.startswith(_RATES)]
        sections.append(_failures(facts, found))
        if found.without_failures is not None and groups == ALL:
            sections += _fairness(found.without_failures, f"without face-detection failures{kind}")
    sections += stage_sections(stages) if stages else []
    return [*sections, Section("What these subjects cannot show", lines=what_cannot_be_shown(found))]


def _head(facts: RunFacts) -> Section:
    lines = [
        f"pairs: {facts.pairs} of {quantity(facts.images, 'image')} ({facts.source})",
        f"three-step model: {facts.checkpoints.get('three_step', facts.three_step)}",
        f"hard-sample model: {facts.checkpoints.get('hard_sample', facts.hard or 'none')}",
        f"scores: {TRANSDUCTION if facts.transductive else 'plain cosines of two images each (inductive)'}",
    ]
    if facts.failed is not None:
        some = f" ({', '.join(facts.failed[:5])}{', …' if len(facts.failed) > 5 else ''})" if facts.failed else ""
        lines.append(f"detection failed on {len(facts.failed)} of {quantity(facts.images, 'image')}{some}")
    if facts.repeated:
        lines.append(
            quantity(
                facts.repeated,
                "pair repeats an earlier pair; it is scored and counted again",
                "pairs repeat an earlier pair; they are scored and counted again",
            )
        )
    if facts.self_pairs:
        compared = quantity(facts.self_pairs, "pair compares", "pairs compare")
        lines.append(f"{compared} an image with itself")
    return Section("Evaluation", lines=[*lines, *facts.notes])


def _steps(facts: RunFacts) -> Section:
    rows = [
        [step.name, "on" if step.on else "off", TRANSDUCTIVE if step.on else "", str(step.changed) if step.on else "",
         STEPS[step.name]]
        for step in facts.steps
    ]  # fmt: skip
    return Section("Steps after the cosine", ("step", "on or off", "kind", "scores changed", "what it is"), rows)


def _verification(facts: RunFacts, found: Assessment) -> Section:
    results: dict[tuple[str, ...], VerificationResult] = {
        (name, _kind(name, facts)): result for name, result in found.verification.items()
    }
    header, rows = verification_rows(results, ("scores", "kind"), accuracy=False)
    lines = [*verification_notes(results, False), *found.notes, *_steps_that_cost(found)]
    return Section("Verification", tuple(header), rows, lines)


def _steps_that_cost(found: Assessment) -> list[str]:
    """A sentence where the steps take genuine matches at every FMR that is shown; the verdict is about their scores."""
    after, plain = (found.verification.get(name) for name in (ALL_STEPS, THREE_STEP))
    if after is None or plain is None:
        return []
    tar = [(value, plain.tar[fmr], fmr) for fmr, value in after.tar.items() if not math.isnan(value + plain.tar[fmr])]
    if not tar or any(value >= before for value, before, _ in tar):
        return []
    value, before, fmr = tar[-1]
    return [
        f"these photographs are told apart less well after the steps than by plain cosines (TAR {value:.4f} against "
        f"{before:.4f} at FMR {fmr}); --no-rerank --no-cut --no-fuse leaves them out"
    ]


def _kind(name: str, facts: RunFacts) -> str:
    return TRANSDUCTIVE if facts.transductive and name in (ALL_STEPS, WITHOUT) else "inductive"


def _verdict(report: FairnessReport) -> Section:
    if report.unusable:
        return Section("These results are invalid", lines=list(report.unusable))
    return Section("Verdict", lines=list(report.verdict))


def _threshold(report: FairnessReport, transductive: bool) -> Section:
    threshold = report.result.threshold
    lines = [f"{threshold.value:.6g}, set by: {threshold.how}; the FMR here is {rate_text(report.result.fmr)}"]
    if transductive and not threshold.optimistic and not math.isnan(threshold.target):
        lines.append(
            "the calibration pairs went through the same steps as a list of their own; the scores depend on the list, "
            "so the threshold of one list is only approximate for another"
        )
    if threshold.optimistic:
        lines.append(
            "optimistic: it was set on images that are also scored, so their FMR is the target by construction; give "
            "pairs of other subjects for calibration"
        )
    return Section("Threshold", lines=lines)


def _fairness(report: FairnessReport, what: str) -> list[Section]:
    sections = fairness_sections(report.result, report.challenge, report.changes, PLAIN)
    return [replace(one, title=f"{one.title} ({what})") for one in sections]


def _failures(facts: RunFacts, found: Assessment) -> Section:
    title = "Face-detection failures (part of FTA)"
    if facts.failed is None or found.fairness is None:
        return Section(title, lines=["it is unknown on which images detection failed"])
    rows = [
        [grouping.name, row.group, str(row.images), rate_text(row.failures)]
        for grouping in found.fairness.result.groupings.values()
        for row in grouping.rows
        if row.failures is not None
    ]
    lines = [
        f"{len(facts.failed)} of {quantity(facts.images, 'image')}; a face counts as one if it was found only after "
        "resizing or rotating the photograph, or not at all"
    ]
    if found.without_reason:
        lines.append(f"no separate report without these images: {found.without_reason}")
    return Section(title, ("by", "group", "images", "face-detection failure rate"), rows, lines)
