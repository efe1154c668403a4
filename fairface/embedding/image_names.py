"""The names under which the images of a data set are stored with their embeddings."""

from __future__ import annotations

from pathlib import Path

from fairface.data.folder import FolderDataset
from fairface.data.listfile import ListDataset
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.tfrecord.dataset import IndexTFRDataset
from fairface.data.types import Dataset
from fairface.data.unlabeled import ZeroUnlabeled
from fairface.data.view import Subset


def image_names(dataset: Dataset) -> tuple[str, ...]:
    """N names: paths below the data set's folder where it has files, which is what pair lists use; ``record <key>`` for
    records; the image's name for TFRecords whose index has it; else what the data set calls them in messages.
    """
    base: Dataset = dataset
    positions = list(range(len(dataset)))
    if isinstance(dataset, Subset):
        base, positions = dataset.base, [int(index) for index in dataset.indices]
    if isinstance(base, ZeroUnlabeled):
        base = base.base
    if isinstance(base, FolderDataset):
        return tuple(_below(base.path(index), base.root) for index in positions)
    if isinstance(base, ListDataset):
        return tuple(_below(base.photo(index), base.root) for index in positions)
    if isinstance(base, RecordDataset):
        return tuple(f"record {base.keys[index]}" for index in positions)
    if isinstance(base, IndexTFRDataset):
        return tuple(base.image_name(index) or base.name(index) for index in positions)
    return tuple(base.name(index) for index in positions)


def _below(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
