"""The score at a run's end: test sets, a baseline on the same comparisons, a table and ``metrics.json``."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import checkpoint_label
from fairface.cli import finite
from fairface.data.image_reader import ImageReader
from fairface.data.missing import SKIP
from fairface.embedding.eigenfaces import Eigenfaces
from fairface.errors import DataError
from fairface.mx import gluon
from fairface.parameters import count
from fairface.protocols.verification_set import VerificationSet
from fairface.quantity import quantity
from fairface.report.verification_table import verification_table
from fairface.scoring.verification import VerificationResult, verify_embeddings
from fairface.training.setup import Prepared
from fairface.training.verifier import Verifier

EIGENFACES = 60
MOST_TRAINING = 10_000  # images that the eigenfaces are learnt from, spread evenly over the training data
CHUNK = 2_000  # images that are in memory at a time when test sets are embedded


def score_test_sets(run: Prepared, scorer: Verifier, net: gluon.HybridBlock) -> tuple[dict[str, Any], str]:
    """Score ``net`` and the configured baseline on the test sets.

    The first set's numbers stand at the top level of the result; with several sets ``sets`` holds all of them.
    Returns the result, JSON-ready, and a table for people.
    """
    test = run.config.test
    began = time.monotonic()
    results = scorer.results(net, rounds=test.bootstrap)
    seconds = time.monotonic() - began
    baselines: dict[str, VerificationResult] = {}
    if test.baseline == "eigenfaces":
        baselines = {item.name: _eigenfaces(run, item, scorer) for item in scorer.sets}
    first = scorer.sets[0].name
    metrics: dict[str, Any] = {
        "dataset": run.config.data.dataset or first,
        "set": first,
        "seed": run.config.seed,
        **results[first].to_dict(),
    }
    if baselines:
        metrics["baseline"] = {"name": "eigenfaces", "components": EIGENFACES, **baselines[first].to_dict()}
    metrics["sets"] = {name: result.to_dict() for name, result in results.items()}
    metrics["checkpoint"] = checkpoint = checkpoint_label(f"{run.folder}@{test.checkpoint}")
    metrics["parameters"] = count(net)
    metrics["scoring_seconds"] = round(seconds, 3)
    return finite(metrics), _table(checkpoint, results, baselines)


def _eigenfaces(run: Prepared, item: VerificationSet, scorer: Verifier) -> VerificationResult:
    """Whitened eigenfaces, learnt from (at most ``MOST_TRAINING``) training images, on the comparisons of ``item``."""
    sources = run.method.sources()
    source = next((source for source in sources if source.is_labeled), sources[0])
    size, count = run.config.data.image_size, len(source.dataset)
    chosen = np.unique(np.linspace(0, count - 1, MOST_TRAINING).astype(np.int64))
    images = _decoded(ImageReader(source.unaugmented(size), size, source.resize), chosen, source.on_bad_record == SKIP)
    model = Eigenfaces(min(EIGENFACES, len(images) - 1)).fit(images)
    reader, positions = ImageReader(item.images, size), np.arange(len(item.images))
    parts = [positions[start : start + CHUNK] for start in range(0, len(positions), CHUNK)]
    embeddings = np.concatenate([model.embed(_decoded(reader, part)) for part in parts])
    config = scorer.config
    return verify_embeddings(
        embeddings, item.comparisons, folds=config.folds, fmr=config.fmr, rounds=run.config.test.bootstrap
    )


def _decoded(reader: ImageReader, positions: NDArray[np.integer], skip_bad: bool = False) -> NDArray[np.uint8]:
    images = []
    for position in positions.tolist():
        try:
            images.append(reader.read(position))
        except DataError:  # the run has listed it already
            if not skip_bad:
                raise
    return np.stack(images)


def _table(model: str, results: dict[str, VerificationResult], baselines: dict[str, VerificationResult]) -> str:
    rows: dict[tuple[str, ...], VerificationResult] = {}
    for name, result in results.items():
        rows[name, model] = result
        if name in baselines:
            rows[name, "eigenfaces"] = baselines[name]
    one = next(iter(results.values()))
    subjects = "" if one.subjects is None else f" of {quantity(one.subjects, 'subject')}"
    counts = f"{one.n_genuine} genuine and {quantity(one.n_impostor, 'impostor comparison')}{subjects}"
    note = f"{counts}; [95 % confidence interval over subjects]"
    return f"{verification_table(rows, ('set', 'model'), brief=True)}\n{note}"
