"""Heads of a fine-tune that start from the mean embedding of each identity (``head.init_from=mean_embedding``)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from fairface.data.loading.source import Source
from fairface.embedding.mxnet import NetEmbedder
from fairface.quantity import quantity
from fairface.training.log import RunLog
from fairface.training.setup import Prepared
from fairface.training.start import head_from_mean_embeddings

INIT = "mean_embedding"


def heads_from_mean_embeddings(run: Prepared, reinitialized: Collection[str], log: RunLog) -> None:
    """Make those of the blocks ``reinitialized`` of mean embeddings whose head asks for it, each of its own source.

    Raises:
        CheckpointError: a head without a weight per class.
        DataError: a bad record, unless ``data.on_bad_record`` is skip.
    """
    by_source: dict[int, dict[str, slice]] = {}
    for block, part in run.method.parts_of_embedding.items():
        if block in reinitialized:
            number = run.method.classified_source(block)
            if run.config.head_of(number).init_from == INIT:
                by_source.setdefault(number, {})[block] = part
    for number, parts in by_source.items():
        _from_source(run, run.method.sources()[number], parts, log)


def _from_source(run: Prepared, source: Source, parts: Mapping[str, slice], log: RunLog) -> None:
    """Each block of the values of an embedding that it classifies. Where bad records are skipped, they have no part in
    it, and the run lists them at its end with the others."""
    config = run.config
    embedder = NetEmbedder(
        run.method.inference(), run.world.contexts, config.verify.batch_size, config.verify.flip,
        config.data.image_size, resize=source.resize, show_progress=not log.quiet,
    )  # fmt: skip
    images = source.unaugmented(config.data.image_size)
    if source.on_bad_record == "skip":
        embeddings, kept, bad = embedder.embed_readable(images)
        images = images.subset(kept)
        run.loader.skipped.update(bad)
        if bad:
            left = quantity(len(bad), "bad record has", "bad records have")
            log.say(f"warning: {left} no part in the mean embeddings, such as {next(iter(bad))}")
    else:
        embeddings = embedder.embed(images)
    for name, part in parts.items():
        count = head_from_mean_embeddings(run.method.blocks()[name], embeddings[:, part], images)
        log.say(f"{name} starts from the mean embedding of each of {quantity(count, 'identity')}")
