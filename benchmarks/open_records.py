"""How long opening a large .rec takes, and how much memory: labels of all records, without and with the cached index.

Example: python benchmarks/open_records.py --records 1000000 --json
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fairface.cli import parser, print_json, run, table
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.frame import frame
from fairface.data.recordio.header import pack

IMAGES_PER_IDENTITY = 50
CHUNK = 10_000


def main(argv: Sequence[str]) -> None:
    arguments = parser("Time to open a .rec and to know all labels and attributes, in a process of its own.")
    arguments.add_argument("--records", type=int, default=1_000_000)
    arguments.add_argument("--payload", type=int, default=64, help="bytes of each record after its header")
    arguments.add_argument("--folder", help="where to make the file; default: the system's temporary folder")
    arguments.add_argument("--json", action="store_true", help="print JSON")
    arguments.add_argument("--open", metavar="REC", help="only open this file and print seconds and memory as JSON")
    args = arguments.parse_args(argv)
    if args.open:
        print_json(measure(Path(args.open)))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "train.rec"
        write(path, args.records, args.payload)
        results = {name: in_new_process(path) for name in ("cold", "cached")}
    if args.json:
        print_json({"records": args.records, "payload_bytes": args.payload, **results})
    else:
        rows = [(name, f"{r['seconds']:.2f}", f"{r['peak_mb']:.0f}") for name, r in results.items()]
        print(table(rows, ("index", "seconds", "peak MB")))


def measure(path: Path) -> dict[str, float]:
    """Open the file, look at all labels and attributes, and read the last record."""
    before = time.perf_counter()
    data = RecordDataset(path)
    checksum = int(data.labels.sum()) + int(data.attributes.sum())
    seconds = time.perf_counter() - before
    data.encoded(len(data) - 1)
    return {"records": len(data), "label_sum": checksum, "seconds": seconds, "peak_mb": peak_memory()}


def peak_memory() -> float:
    """Highest resident size of this process in MB. ``getrusage`` would count what the parent held before the start."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def in_new_process(path: Path) -> dict[str, float]:
    """``measure`` in a new process, with the file dropped from the page cache where the system allows that."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    command = [sys.executable, __file__, "--open", str(path)]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return result


def write(path: Path, records: int, payload: int) -> None:
    """A plain im2rec file: labels [identity, 1, sex, glasses], the same payload in every record."""
    one = frame(pack([0, 1, 0, 0], bytes(payload)))
    with path.open("wb") as rec, path.with_suffix(".idx").open("w") as idx:
        for start, count in _chunks(records):
            keys = np.arange(start, start + count)
            block = np.tile(np.frombuffer(one, np.uint8), (count, 1))
            block[:, 16:24] = keys.astype("<u8").view(np.uint8).reshape(-1, 8)
            labels = np.stack([keys // IMAGES_PER_IDENTITY, keys * 0 + 1, keys % 2, keys % 3 == 0], axis=1)
            block[:, 32:48] = labels.astype("<f4").view(np.uint8).reshape(-1, 16)
            rec.write(block.tobytes())
            idx.writelines(f"{key}\t{key * len(one)}\n" for key in keys.tolist())


def _chunks(records: int) -> Iterator[tuple[int, int]]:
    yield from ((start, min(CHUNK, records - start)) for start in range(0, records, CHUNK))


if __name__ == "__main__":
    run(main)
