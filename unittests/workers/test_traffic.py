"""Bytes of a step: against a simulated ring, against published speeds, and as docs/scaling.md has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairface.config.schema import HeadConfig
from fairface.heads import build_sharded_head
from fairface.heads.sharded import MomentumRule, ShardUpdater
from fairface.mx import autograd, nd
from fairface.workers.traffic import (
    Plan,
    class_sharded,
    data_parallel,
    efficiency,
    head_memory,
    over_server,
    ring,
    saved_over_server,
    sharded_over_server,
)
from fairface.workers.world import Workers
from unittests.workers.together import ThreadExchange, together

PAGE = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
PARAMETERS = {"r50": 43.6e6, "r100": 65.2e6}
V100 = {"r50": 128 * 8 / 3045, "r100": 128 * 8 / 1847}  # seconds of a step of 128 images, MXNet, fp32 (Glint360K)
# insightface, arcface_torch, 8 V100, r50, fp16, 1024 images: identities, images/s data parallel and class-sharded
PUBLISHED = [(125e3, 4681, 4824), (250e3, 4047, 4521), (500e3, 3087, 4013), (1e6, 2090, 3449), (1.4e6, 1672, 3043)]


@pytest.mark.parametrize("devices", [2, 3, 8])
def test_a_ring_sends_what_a_simulated_one_sends(devices: int) -> None:
    """Every device's array in as many blocks as devices; blocks go round until each device has every sum."""
    values = 24 * devices
    arrays = np.random.default_rng(0).normal(size=(devices, devices, 24))
    expected, sent = arrays.sum(axis=0), np.zeros(devices)
    for turn in range(devices - 1):  # adding up
        parts = [(own, (own - turn) % devices) for own in range(devices)]
        moving = [arrays[own, block].copy() for own, block in parts]
        for (own, block), values_of_block in zip(parts, moving, strict=True):
            arrays[(own + 1) % devices, block] += values_of_block
            sent[own] += values_of_block.astype(np.float32).nbytes
    for turn in range(devices - 1):  # handing on the sums
        parts = [(own, (own + 1 - turn) % devices) for own in range(devices)]
        moving = [arrays[own, block].copy() for own, block in parts]
        for (own, block), values_of_block in zip(parts, moving, strict=True):
            arrays[(own + 1) % devices, block] = values_of_block
            sent[own] += values_of_block.astype(np.float32).nbytes
    np.testing.assert_allclose(arrays, np.broadcast_to(expected, arrays.shape))
    assert sent.tolist() == [ring(values, devices)] * devices


def test_sharded_classes_count_embeddings_not_classes() -> None:
    plan = Plan(1000, 1e9, 4, 2, 16)
    rows = 4 * 2
    embeddings = np.zeros((rows, 16), np.float32)
    assert class_sharded(plan) == pytest.approx(
        1.5 * 1000 * 4 + 3 / 4 * embeddings.nbytes + 1.5 * embeddings.nbytes + 1.5 * 3 * rows * 4
    )
    assert data_parallel(plan) == pytest.approx(1.5 * 4 * (1000 + 16e9))
    assert over_server(plan) == pytest.approx(2 * 4 * (1000 + 16e9))
    assert head_memory(plan, True) * 4 == head_memory(plan, False) == 3 * 16e9 * 4


def test_split_classes_on_workers_send_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a step's exchanges add up, counted as they do; lengths are rounded up by an eighth at most, and who has how
    many rows is asked four times."""
    plan = Plan(0, 12, devices=3, batch=16, embedding=32)
    sent, kept = [], []
    real = ThreadExchange._total

    def counted(self: ThreadExchange, name: str, own: np.ndarray[Any, Any]) -> Any:
        if self.rank == 1:
            sent.append(own.nbytes)
        return real(self, name, own)

    def work(world: Workers) -> None:
        head = build_sharded_head(HeadConfig(), plan.embedding, int(plan.identities))
        head.join(world)
        head.initialize(ctx=list(world.contexts))
        updater = ShardUpdater(head, MomentumRule())
        head.spread()
        updater.spread()
        x, label = nd.ones((plan.batch, plan.embedding)), nd.zeros((plan.batch,), dtype="int32")
        x.attach_grad()
        sent.clear()
        world.begin_step()
        with autograd.record():
            (loss,) = head.losses(head.gathered([x], [label], world)).losses
        autograd.backward([loss, *world.joined()], [nd.ones_like(loss), *map(nd.zeros_like, world.joined())])
        x.grad.wait_to_read()
        world.barrier()
        if world.rank == 1:
            kept.append(sum(sent))
            sent.clear()
        head.arrays()
        updater.state()

    monkeypatch.setattr(ThreadExchange, "_total", counted)
    together(plan.devices, work)
    few = 5 * plan.devices * 4
    assert sharded_over_server(plan) <= 2 * (kept[0] - few) <= 1.125 * sharded_over_server(plan)
    assert 2 * sum(sent) == saved_over_server(plan)


def test_one_link_speed_explains_the_published_speeds() -> None:
    """Data parallel costs what sharded costs and the head's gradients. With the link speed of the last row the others
    come out within a tenth; so the page says."""
    seconds = {ids: (1024 / parallel, 1024 / sharded) for ids, parallel, sharded in PUBLISHED}
    last = PUBLISHED[-1][0]
    link = ring(last * 512, 8) / (seconds[last][0] - seconds[last][1])
    assert f"{link / 1e9:.1f} GB/s" in PAGE
    errors = [(sharded + ring(ids * 512, 8) / link) / parallel - 1 for ids, (parallel, sharded) in seconds.items()]
    assert max(map(abs, errors)) < 0.1
    assert f"{max(map(abs, errors)):.0%}" in PAGE


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows_after(heading: str) -> list[list[str]]:
    table = PAGE.split(heading)[1].split("\n\n|", 1)[1].split("\n\n")[0]
    return [cells(line) for line in table.splitlines()[2:]]


def giga(value: float) -> str:
    return f"{value / 1e9:.3g} GB" if value < 1e12 else f"{value / 1e12:.3g} TB"


def test_the_pages_bytes_are_those_of_the_functions() -> None:
    rows = rows_after("## Bytes a step")
    assert len(rows) == 8
    assert f"{giga(saved_over_server(Plan(0, 1e6, 8, 128)))} for each worker and checkpoint" in PAGE
    for net, identities, *found in rows:
        plan = Plan(PARAMETERS[net], float(identities), 8, 128)
        assert found == [
            giga(value)
            for value in (data_parallel(plan), over_server(plan), class_sharded(plan), sharded_over_server(plan),
                          head_memory(plan, False), head_memory(plan, True))
        ]  # fmt: skip


def test_the_pages_efficiencies_are_those_of_the_functions() -> None:
    links = [float(text) * 1e9 for text in re.findall(r"([\d.]+) GB/s \|", PAGE.split("## What is left")[1])]
    assert len(links) == 3
    for net, identities, layout, *found in rows_after("## What is left"):
        plan = Plan(PARAMETERS[net], float(identities), 8, 128)
        moved = {
            "data parallel": data_parallel, "--workers": over_server, "class-sharded": class_sharded,
            "both": sharded_over_server,
        }[layout](plan)  # fmt: skip
        assert found == [f"{efficiency(V100[net], moved, link):.0%}" for link in links]
