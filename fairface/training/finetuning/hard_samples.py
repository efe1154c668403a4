"""Hard samples: records that a trained classifier assigns to another identity, and all records of their identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairface.checkpoints import resolve
from fairface.cli import tell
from fairface.config.load import load_config
from fairface.config.schema import DataConfig, TrainConfig
from fairface.data.centre_crop import CroppedDataset
from fairface.data.loading.centre_jitter import centre_crop_of
from fairface.data.selection import kept_records, open_whole
from fairface.data.types import UNLABELED, Dataset
from fairface.embedding.mxnet import NetEmbedder
from fairface.errors import CheckpointError, DataError
from fairface.files import atomic_write
from fairface.interop.models import load_model
from fairface.parallel import contexts_of
from fairface.quantity import quantity
from fairface.training.finetuning.trained_parts import load_parts, predict

MARK = "# hard samples: "  # begins every list


@dataclass(frozen=True)
class HardSamples:
    """What a classifier gets wrong.

    Attributes:
        hard: positions of the records whose predicted class differs from the label.
        indices: positions of all records of the identities with a hard sample; every labeled record where there is
            none.
        identities: number of these identities.
        labeled: number of labeled records looked at.
        source: what was looked at, and with which classifier.
        unreadable: the labeled records that could not be read, where bad ones are skipped: name to what is wrong.
    """

    hard: NDArray[np.int64]
    indices: NDArray[np.int64]
    identities: int
    labeled: int
    source: str
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """Share of labeled records that are recognised."""
        return 1.0 - len(self.hard) / self.labeled

    def message(self) -> str:
        """A sentence for people."""
        counts = f"accuracy {self.accuracy:.4f} ({self.labeled - len(self.hard)} of {self.labeled})"
        if self.unreadable:
            first = next(iter(self.unreadable))
            counts += f", without {quantity(len(self.unreadable), 'record')} not readable, such as {first}"
        if not len(self.hard):
            return f"no hard sample found in {self.source}: {counts}; all its records are listed"
        return (
            f"{quantity(len(self.hard), 'hard sample')} in {self.source}: {counts}; "
            f"{quantity(self.identities, 'identity has', 'identities have')} one, with "
            f"{quantity(len(self.indices), 'record')}"
        )


def mine(
    model: str, data: DataConfig | None = None, output: str = "models", devices: str = "", gpus: str = "",
    batch_size: int = 64, show_progress: bool = True,
) -> HardSamples:  # fmt: skip
    """Find the records of ``data`` (default: the labeled data that the run was trained on) that the run ``model`` gets
    wrong.

    Positions count in the whole data set; its ``only`` plays no part, nor does the ``where`` of the run's own data.
    Images are cut and resized where the run cut and resized its own. With ``show_progress`` the notes of the data are
    told, too.

    The classifier sees each photograph once, unchanged, and without its margin; LPD's two classifiers decide together,
    by the sum of their logits. Bad records are left out and named
    where ``on_bad_record`` of ``data`` or of the run is skip.

    Raises:
        CheckpointError: no run of ours, one without a classifier, or one whose classes are not the data's identities.
        DataError: the data cannot be read.
    """
    files = resolve(model, output)
    if files.blocks is None:
        raise CheckpointError(f"{model}: has no classifier; name a run that was trained with a head")
    config = load_config(files.params.parent / "config.yaml")
    number = labeled_source(config)
    own = config.all_sources()[number].data
    chosen = replace(own, where="") if data is None else _as_trained(data, own)
    dataset = open_whole(chosen)
    tell(dataset.notes if show_progress else ())
    contexts = contexts_of(devices, gpus)
    parts = load_parts(config, files.blocks, dataset.num_classes, contexts[0], number)
    net = load_model(model, contexts, output)
    embedder = NetEmbedder(
        net.net,
        contexts,
        batch_size,
        flip=False,
        image_size=net.image_size,
        resize=chosen.resize,
        show_progress=show_progress,
    )
    kept = kept_records(dataset, replace(chosen, only=""))
    labeled = np.flatnonzero(kept & (dataset.labels != UNLABELED))
    if not len(labeled):
        raise CheckpointError(f"{chosen.path}: has no labeled record to compare predictions with")
    images, crop = dataset.subset(labeled), centre_crop_of(config.all_sources()[number].augment, training=False)
    if crop is not None:
        images = CroppedDataset(images, crop, net.image_size)
    embeddings, readable, bad = _embedded(embedder, images, chosen.on_bad_record)
    predicted = predict(parts, embeddings, contexts[0])
    return replace(collect(dataset, labeled[readable], predicted, f"{chosen.path} by {model}"), unreadable=bad)


def _embedded(
    embedder: NetEmbedder, images: Dataset, on_bad_record: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], dict[str, str]]:
    """As :meth:`NetEmbedder.embed_readable` where bad records are skipped."""
    if on_bad_record == "skip":
        return embedder.embed_readable(images)
    return embedder.embed(images), np.arange(len(images)), {}


def _as_trained(data: DataConfig, own: DataConfig) -> DataConfig:
    """``data`` with what the run did with images of another size and with bad records."""
    skips = own.on_bad_record if data.on_bad_record == "stop" else data.on_bad_record
    return replace(data, resize=data.resize or own.resize, on_bad_record=skips)


def labeled_source(config: TrainConfig) -> int:
    """The position of the one source with labels; where the configuration does not tell it, its data do.

    Raises:
        CheckpointError: there are several, each with a classifier of its own.
        DataError: data that cannot be read.
    """
    sources = config.all_sources()
    labeled = [number for number, source in enumerate(sources) if not source.unlabeled]
    if len(labeled) > 1:
        labeled = [number for number in labeled if (open_whole(sources[number].data).labels != UNLABELED).any()]
    if len(labeled) != 1:
        named = ", ".join(sources[number].name for number in labeled)
        raise CheckpointError(f"{config.name}: was trained with a classifier for each of {named}; "
                              "hard samples are found for runs with one classifier")  # fmt: skip
    return labeled[0]


def collect(dataset: Dataset, labeled: NDArray[np.int64], predicted: NDArray[np.int64], source: str) -> HardSamples:
    """Hard samples and their identities' records, from the predictions for the records ``labeled``."""
    labels = dataset.labels[labeled]
    hard = labeled[predicted != labels]
    identities = np.unique(dataset.labels[hard])
    indices = labeled[np.isin(labels, identities)] if len(identities) else labeled
    return HardSamples(hard, indices, len(identities), len(labeled), source)


def write_list(path: Path, found: HardSamples) -> None:
    """Write the positions of ``found.indices``, one a line, for ``data.only``; comments say what they are.

    Raises:
        DataError: another file is there, or it cannot be written.
    """
    if path.exists() and not _is_list(path):
        raise DataError(f"{path}: is there and no list of hard samples; it is not overwritten, name another file")
    with atomic_write(path, "w", encoding="utf-8") as file:
        file.write(f"{MARK}{found.message()}\n")
        file.write(f"# hard: {_short(found.hard.tolist())}\n")
        file.writelines(f"# unreadable: {' '.join(reason.split())}\n" for reason in found.unreadable.values())
        file.writelines(f"{index}\n" for index in found.indices.tolist())


def _is_list(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK.encode()


def _short(values: Sequence[int], most: int = 1000) -> str:
    shown = " ".join(map(str, values[:most]))
    return f"{shown} … ({len(values)})" if len(values) > most else shown or "none"
