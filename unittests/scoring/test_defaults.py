"""What scoring does where nothing is said: every default is that of the documents and of the papers they name."""

import inspect
import math

import pytest

from fairface.scoring import bootstrap, kfold, shared_identities, verification, verification_result
from fairface.scoring.fairness import (
    assess,
    challenge,
    compare,
    curves,
    difference,
    of_arrays,
    options,
    rate,
    result,
    rules,
    scalars,
    threshold,
)
from fairface.scoring.measure import Measure
from fairface.scoring.transductive import chain, fuse, gap_cut, rerank

USUAL_FMR = (0.01, 0.001, 0.0001)
VERIFICATION = {"folds": 10, "fmr": USUAL_FMR, "rounds": 0, "level": 0.95, "seed": 0}
DEFAULTS = [
    (bootstrap.bootstrap_intervals, {"fmr": USUAL_FMR, "rounds": 1000, "level": 0.95, "seed": 0}),
    (kfold.kfold_accuracy, {"folds": 10}),
    (kfold.val_at_far, {"target": 0.001, "folds": 10}),
    (shared_identities.shared_identities, {"threshold": None, "fmr": 0.0001}),
    (verification.verify, VERIFICATION),
    (verification.evaluate, {"subjects": None, **VERIFICATION}),
    (Measure, {"reason": ""}),
    (verification_result.VerificationResult, {"val": None, "reasons": {}, "intervals": {}, "notes": ()}),
    (assess.assess, {"options": None, "failed": None, "unembedded": None}),
    (options.FairnessOptions, {
        "alpha": 0.5, "level": 0.95, "rounds": 1000, "seed": 0, "min_subjects": 30, "power": 0.8, "target_fnmr": None,
        "target_fmr": None, "unscored": "error",
    }),
    (challenge.ChallengeOptions, {
        "aggregation": "one_sided", "weights": "uniform", "min_comparisons": 30, "rounds": 200, "level": 0.95,
        "seed": 0,
    }),
    (challenge.challenge_measure, {"legitimate": (), "options": None}),
    (compare.compare, {"options": None, "set_on": None}),
    (compare.compare_errors, {"options": None, "scored": None}),
    (difference.Difference, {"reason": ""}),
    (curves.group_curves, {"rounds": 1000, "level": 0.95, "seed": 0, "grid": curves.DEFAULT_GRID}),
    (curves.GroupCurve, {"reason": ""}),
    (rules.Rule, {"worse_when_larger": True, "uses_alpha": False, "fills_zero": False, "note": ""}),
    (of_arrays.evaluate, {"subjects": None, "fmr": 0.01, "threshold": None, "options": None}),
    (rate.Rate, {"reason": ""}),
    (rate.Planning, {"reason": ""}),
    (result.GroupRow, {"failures": None, "mated": None, "non_mated": None}),
    (result.GroupingResult, {"notes": ()}),
    (result.FairnessResult, {"notes": ()}),
    (scalars.Scalar, {
        "reason": "", "null_median": math.nan, "null_extreme": math.nan, "p_value": math.nan, "null_rounds": 0,
        "alpha": None, "note": "",
    }),
    (threshold.SharedThreshold, {"target": math.nan, "optimistic": False, "same_people": False}),
    (chain.ChainSteps, {"rerank": True, "cut": True, "fuse": True}),
    (chain.StepResult, {"changed": 0}),
    (fuse.fuse, {"above": 0.99}),
    (gap_cut.gap_cut, {"smallest": 0.1, "step": 0.1, "slack": 0.001}),
    (rerank.rerank, {"k": 20, "own": 0.65, "shared": 0.7, "forget_first": False}),
]  # fmt: skip


def defaults_of(what):
    """The defaults of a function or a dataclass; of those that are made anew, what is made."""
    fields = getattr(what, "__dataclass_fields__", {})
    given = {}
    for name, parameter in inspect.signature(what).parameters.items():
        if parameter.default is not inspect.Parameter.empty:
            made = name in fields and callable(fields[name].default_factory)
            given[name] = fields[name].default_factory() if made else parameter.default
    return given


@pytest.mark.parametrize(("what", "expected"), DEFAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_defaults(what, expected):
    assert repr(defaults_of(what)) == repr(expected)  # nan is not equal to itself


def test_grids_of_rates_and_thresholds():
    """insightface's thresholds; false match rates from 1 in 10 000 to one half, evenly spread on a logarithmic axis."""
    assert kfold.ACCURACY_GRID == (4.0, 0.01)
    assert kfold.VAL_GRID == (4.0, 0.001)
    expected = [1e-4 * 5000 ** (step / 24) for step in range(25)]
    assert pytest.approx(expected, rel=1e-12) == curves.DEFAULT_GRID


def test_the_best_value_of_each_rule_and_where_alpha_counts():
    best = {rule.name: (rule.best, rule.worse_when_larger, rule.uses_alpha) for rule in rules.RULES}
    expected = {
        f"{error}_{name}": (value, True, False)
        for error in ("fnmr", "fmr")
        for name, value in (
            ("worst", 0.0),
            ("gap", 0.0),
            ("max_min", 1.0),
            ("max_geomean", 1.0),
            ("gini", 0.0),
            ("mera", 1.0),
        )
    }
    expected |= {"fdr": (1.0, False, True), "inequity_rate": (1.0, True, True), "garbe": (0.0, True, True)}
    expected |= {"werm": (1.0, True, True), "fmr_mape": (0.0, True, False)}
    assert best == expected | {"sedg_mean": (0.0, True, False), "sedg_std": (0.0, True, False)}
