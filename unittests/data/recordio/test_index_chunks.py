"""Headers are read a chunk of records at a time: whatever the chunk, every record keeps its own labels."""

import numpy as np
import pytest

from fairface.data.images import encode_png
from fairface.data.opening import open_dataset
from fairface.data.recordio import index
from fairface.data.recordio.files import RecordWriter


@pytest.mark.parametrize("chunk", [1, 3, 4, 9, 100])
def test_labels_of_more_records_than_a_chunk_holds(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(index, "_CHUNK", chunk)
    labels = [4, 0, 2, 2, 1, 3, 0, 4, 1]
    files = [encode_png(np.full((4, 4, 3), 20 * i, np.uint8)) for i in range(len(labels))]
    with RecordWriter(tmp_path / "some.rec") as writer:
        for key, (label, file) in enumerate(zip(labels, files, strict=True)):
            writer.write(key, float(label), file)
    dataset = open_dataset(tmp_path / "some.rec")
    assert dataset.labels.tolist() == labels
    assert [dataset.encoded(i) for i in range(len(dataset))] == files
