"""How long knowing all labels of a large .rec takes, and how much memory, against a plain loop over its records.

python benchmarks/open_records.py --records 1000000 --repeats 3 --json

Ours is measured without and with the cached index. The plain loop is what MXNet offers: MXIndexedRecordIO reads record
after record and its header is unpacked. Each reading is taken in a process of its own, in turns. Importing is not
timed; in the loop's memory MXNet itself is counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from figures import peak_memory, quotients, ratio_lines, ratios

from fairface.cli import parser, print_json, run, table
from fairface.data.recordio.dataset import RecordDataset
from fairface.data.recordio.frame import frame
from fairface.data.recordio.header import pack
from fairface.errors import FairfaceError

IMAGES_PER_IDENTITY = 50
CHUNK = 10_000
LOOP = "plain loop"
SIDES = {"cold": "--open", "cached": "--open", LOOP: "--loop"}


def main(argv: Sequence[str]) -> None:
    arguments = parser("Time to open a .rec and to know all labels and attributes, in a process of its own.")
    arguments.add_argument("--records", type=int, default=1_000_000)
    arguments.add_argument("--payload", type=int, default=64, help="bytes of each record after its header")
    arguments.add_argument("--repeats", type=int, default=3, help="rounds; everything is measured once in each")
    arguments.add_argument("--folder", help="where to make the file; default: the system's temporary folder")
    arguments.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments.add_argument("--open", metavar="REC", help="only open this file and print seconds and memory as JSON")
    arguments.add_argument("--loop", metavar="REC", help="the same with the plain loop")
    args = arguments.parse_args(argv)
    if args.open or args.loop:
        print_json(measure(ours, args.open) if args.open else measure(plain_loop(), args.loop))
        return
    if args.records < 1 or args.repeats < 1:
        arguments.error("--records and --repeats must be 1 or more")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "train.rec"
        write(path, args.records, args.payload)
        turns = [one_turn(path) for _ in range(args.repeats)]
    result = {"benchmark": "open_records", "records": args.records, "payload_bytes": args.payload, **summary(turns)}
    if args.json:
        print_json(result)
    else:
        show(result)


def one_turn(path: Path) -> dict[str, dict[str, float]]:
    """The three readings; all must have seen the same labels."""
    path.with_suffix(".index.npz").unlink(missing_ok=True)
    turn = {name: in_new_process(path, option) for name, option in SIDES.items()}
    if len({found["label_sum"] for found in turn.values()}) != 1:
        raise FairfaceError(f"{path}: the sides read different labels; their times mean nothing")
    return turn


def summary(turns: Sequence[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Medians of all sides with the range of the seconds; ratios: the loop's seconds over ours."""
    sides, over = {}, {}
    for name in SIDES:
        seconds = [turn[name]["seconds"] for turn in turns]
        middle = {key: median(turn[name][key] for turn in turns) for key in turns[0][name]}
        sides[name] = {**middle, "range": [min(seconds), max(seconds)]}
        if name != LOOP:
            over[f"{name} / {LOOP}"] = quotients([turn[LOOP]["seconds"] for turn in turns], seconds)
    return {**sides, **ratios(over)}


def show(result: dict[str, Any]) -> None:
    rows = [(name, f"{result[name]['seconds']:.2f}", f"{result[name]['peak_mb']:.0f}") for name in SIDES]
    print(table(rows, ("labels of all records", "seconds", "peak MB")))
    print(*ratio_lines(result), sep="\n")


def measure(labels: Callable[[Path], tuple[int, int]], path: str) -> dict[str, float]:
    """How many records there are, the sum of their labels and attributes, and what it took to know them."""
    before = time.perf_counter()
    records, total = labels(Path(path))
    return {
        "records": records, "label_sum": total, "seconds": time.perf_counter() - before, "peak_mb": peak_memory(),
    }  # fmt: skip


def ours(path: Path) -> tuple[int, int]:
    data = RecordDataset(path)
    return len(data), int(data.labels.sum()) + int(data.attributes.sum())


def plain_loop() -> Callable[[Path], tuple[int, int]]:
    """Every record read and unpacked, one after the other; the label is [identity, 1, attributes]."""
    from fairface.mx import mx  # only here: its memory must not count as ours

    def labels_of(path: Path) -> tuple[int, int]:
        reader = mx.recordio.MXIndexedRecordIO(str(path.with_suffix(".idx")), str(path), "r")
        labels = np.stack([mx.recordio.unpack(reader.read_idx(key))[0].label for key in reader.keys]).astype(np.int64)
        return len(labels), int(labels[:, 0].sum() + labels[:, 2:].sum())

    return labels_of


def in_new_process(path: Path, option: str) -> dict[str, float]:
    """``measure`` in a new process, with the file dropped from the page cache where the system allows that."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    command = [sys.executable, __file__, option, str(path)]
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
