"""Verification shared by workers: every image once, the figures of one process, and one failure stops all alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.data.encoded import EncodedDataset
from fairface.data.images import encode_png
from fairface.data.pairsets.bin_set import write_bin
from fairface.embedding.mxnet import NetEmbedder
from fairface.errors import ConfigError, DataError
from fairface.mx import mx, nn
from fairface.training.alike import SETS, check_alike, fingerprints
from fairface.training.comparison_sets import open_sets
from fairface.training.run import train
from fairface.training.split_embedding import KnownToAllError, all_or_none, embed_split, share_of
from fairface.training.verifier import Verifier
from fairface.workers import pieces
from fairface.workers.world import Workers
from unittests.training.helpers import SIZE, make_people, tiny_config
from unittests.workers.together import together

BAD = b"no image"


def photos(count: int) -> list[bytes]:
    rng = np.random.default_rng(count)
    return [encode_png(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)) for _ in range(count)]


def embedder_on(context: mx.Context, batch_size: int) -> NetEmbedder:
    with context:
        mx.random.seed(3)
        net = nn.HybridSequential()
        net.add(nn.Conv2D(4, 3, 2), nn.BatchNorm(), nn.Dense(5))
        net.initialize(mx.init.Xavier(), ctx=[context])
    return NetEmbedder(net, [context], batch_size, image_size=SIZE, threads=1, show_progress=False)


@pytest.mark.parametrize("images", [1, 7, 8, 9, 64, 1000])
@pytest.mark.parametrize("size", [2, 3, 8])
def test_shares_are_whole_batches_and_together_all_images(images: int, size: int) -> None:
    shares = [share_of(images, 8, rank, size) for rank in range(size)]
    assert [image for share in shares for image in share] == list(range(images))
    assert all(share.start % 8 == 0 for share in shares if len(share))
    batches = [-(-len(share) // 8) for share in shares]
    assert max(batches) - min(batches) <= 1


@pytest.mark.parametrize(("images", "batch_size", "workers"), [(11, 2, 2), (12, 4, 3), (1, 4, 3), (9, 4, 2)])
def test_workers_embed_to_the_bits_of_one_process(
    monkeypatch: pytest.MonkeyPatch, images: int, batch_size: int, workers: int
) -> None:
    monkeypatch.setattr(pieces, "PIECE", 16)  # rows of 5 values lie in two pieces
    dataset = EncodedDataset(photos(images), "photos")
    whole = embedder_on(mx.cpu(0), batch_size).embed(dataset)
    seen: list[list[int]] = [[] for _ in range(workers)]

    def work(world: Workers) -> np.ndarray[Any, Any]:
        embedder = embedder_on(world.contexts[0], batch_size)
        real = embedder.embed

        def embed(own: Any) -> Any:
            seen[world.rank] += own.indices.tolist()
            return real(own)

        embedder.embed = embed
        return embed_split(embedder, dataset, world)

    for found in together(workers, work):
        np.testing.assert_array_equal(found, whole)
    assert [image for own in seen for image in own] == list(range(images))
    assert max(map(len, seen)) < images or images <= batch_size


def test_rows_keep_their_bits_and_some_have_none() -> None:
    values = np.array([[np.nan, -1e-42], [np.inf, 3.4e38], [1 / 3, 16777217], [-0.0, 0.0]], np.float32)
    parts = [values[:0].reshape(0, 0), values[:2], values[2:]]
    for found in together(3, lambda world: world.all_rows(parts[world.rank])):
        np.testing.assert_array_equal(found.view(np.uint32), values.view(np.uint32))


@pytest.mark.parametrize("bad", [0, 10])
def test_a_bad_image_in_any_share_is_told_alike_by_all(bad: int) -> None:
    files = photos(11)
    files[bad] = BAD
    dataset = EncodedDataset(files, "photos.bin")

    def work(world: Workers) -> str:
        with pytest.raises(DataError) as caught:
            embed_split(embedder_on(world.contexts[0], 2), dataset, world)
        return str(caught.value)

    told = together(2, work)
    assert told[0] == told[1]
    assert f"photos.bin, image {bad}: " in told[0]


def test_who_fails_is_heard_at_the_next_meeting_and_all_can_go_on() -> None:
    """Worker 0 fails between its inner meetings, when the others are on their way to the second."""

    def work(world: Workers) -> tuple[str, list[int]]:
        def sets() -> None:
            all_or_none(world, lambda: 1)
            if world.leads:
                raise DataError("no scores")
            all_or_none(world, lambda: 2)

        with pytest.raises(KnownToAllError) as caught:
            all_or_none(world, sets)
        return str(caught.value), world.counts(world.rank + 1)

    assert together(3, work) == [("no scores", [1, 2, 3])] * 3


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def verified(run: Path) -> list[dict[str, Any]]:
    kept = [line for line in lines(run) if line["event"].startswith("verify/")]
    return [{key: value for key, value in line.items() if key != "time"} for line in kept]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People, and verification sets of each kind: a .bin, a list of pairs with folds and groups, a folder."""
    folder = tmp_path_factory.mktemp("split")
    make_people(folder / "people")
    people = make_people(folder / "others", people=8, images=2)
    write_bin(folder / "few.bin", photos(6), [True, False, True])
    names = [f"person{person}/{image}.png" for person in range(8) for image in range(2)]
    rows = [
        f"{a},{b},{int(a[:7] == b[:7])},{a[:7]},{b[:7]},{'fm'[int(a[6]) // 4]},{'fm'[int(b[6]) // 4]}"
        for number, a in enumerate(names)
        for b in names[number + 1 :]
    ]
    (people / "pairs.csv").write_text("image_a,image_b,same,subject_a,subject_b,sex_a,sex_b\n" + "\n".join(rows))
    return folder


def config_of(home: Path, *words: str) -> Any:
    sets = f"verify.sets=[{home}/few.bin,{home}/others/pairs.csv,{home}/others]"
    plain = ("verify.folds=3", "verify.batch_size=2", "steps=2", "verify.every=1")
    return tiny_config(home, home / "people", sets, *plain, *words)


def with_workers(config: Any) -> list[int]:
    return together(2, lambda world: train(config, quiet=True, join=lambda _: world))


def test_a_run_logs_and_decides_what_it_does_when_worker_0_embeds_alone(home: Path) -> None:
    tests = f"test.sets=[{home}/others,{home}/few.bin]"
    words = (tests, "test.bootstrap=20", "test.fmr=[0.1]", "verify.fmr=[0.1]")
    assert with_workers(config_of(home, *words, "name=split")) == [0, 0]
    assert with_workers(config_of(home, *words, "name=alone", "verify.split=false")) == [0, 0]
    split, alone = home / "models" / "split", home / "models" / "alone"
    assert len(verified(split)) == 6
    assert verified(split) == verified(alone)
    manifests = [json.loads((run / "manifest.json").read_text())["checkpoints"] for run in (split, alone)]
    assert [entry["score"] for entry in manifests[0]] == [entry["score"] for entry in manifests[1]]
    found, expected = (json.loads((run / "metrics.json").read_text()) for run in (split, alone))
    assert found["sets"] == expected["sets"]
    assert set(found["sets"]) == {"others", "few"}


def test_the_worst_group_is_watched(home: Path) -> None:
    words = (
        f"verify.sets=[{home}/others/pairs.csv]", "verify.monitor=fmr_worst", "verify.protected=[sex]",
        "verify.fmr=[0.2]", "verify.min_subjects=2", "steps=1",
    )  # fmt: skip
    rates = []
    for split in ("true", "false"):
        assert with_workers(config_of(home, *words, f"name=worst-{split}", f"verify.split={split}")) == [0, 0]
        rates.append([line["fmr_worst"] for line in verified(home / "models" / f"worst-{split}")])
    assert rates[0] == rates[1]
    assert 0 < rates[0][0] < 1


def test_a_bad_verification_image_costs_no_step(home: Path) -> None:
    """It lies in worker 1's share; worker 0 saves, and both stop with the same words."""
    files = photos(6)
    files[5] = BAD
    write_bin(home / "bad.bin", files, [True, False, True])
    config = config_of(home, f"verify.sets=[{home}/bad.bin]", "name=bad")

    def work(world: Workers) -> str:
        with pytest.raises(DataError) as caught:
            train(config, quiet=True, join=lambda _: world)
        return str(caught.value)

    told = together(2, work)
    assert told[0] == told[1]
    assert "bad.bin, image 5" in told[0]
    entries = json.loads((home / "models" / "bad" / "manifest.json").read_text())["checkpoints"]
    assert [(entry["step"], entry["score"]) for entry in entries] == [(1, None)]


def test_what_cannot_be_scored_stops_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object) -> None:
        raise DataError("scores are not finite")

    monkeypatch.setattr(Verifier, "_verified", fails)

    def work(world: Workers) -> str:
        with pytest.raises(DataError) as caught:
            train(config_of(home, "name=unscored"), quiet=True, join=lambda _: world)
        return str(caught.value)

    assert together(2, work) == ["scores are not finite"] * 2


def test_other_sets_on_a_worker_are_named_before_the_first_step(home: Path) -> None:
    config, facts = config_of(home), {"data_fingerprint": "", "content": []}

    def refusal(split: bool) -> list[str]:
        chosen = config if split else config_of(home, "verify.split=false")

        def work(world: Workers) -> str:
            names = [f"{home}/others"] if world.leads else []
            try:
                check_alike(world, fingerprints(chosen, facts, open_sets(names, SIZE)))
            except ConfigError as error:
                return str(error)
            return ""

        return together(2, work)

    assert refusal(split=False) == ["", ""]
    assert set(refusal(split=True)) == {
        f"worker 1 has other {SETS} than worker 0; give all of them the same sets, or let worker 0 alone score them "
        "with verify.split=false"
    }
