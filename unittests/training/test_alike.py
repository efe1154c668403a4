"""What workers that are started by hand may have of their own, and what stops all of them before the first step."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairface.config.schema import TrainConfig
from fairface.errors import ConfigError
from fairface.training.alike import check_alike, fingerprints
from fairface.workers.world import Workers
from unittests.training.helpers import tiny_config
from unittests.workers.together import together

FACTS = {"data_fingerprint": "f", "content": ["a"]}


def refusals(first: TrainConfig, second: TrainConfig) -> list[str]:
    """What two workers with these configurations say, each."""

    def work(world: Workers) -> str:
        try:
            check_alike(world, fingerprints(first if world.leads else second, FACTS))
        except ConfigError as error:
            return str(error)
        return ""

    return together(2, work)


@pytest.mark.parametrize(
    ("key", "value", "before"),
    [
        ("log.every", "3", "2"), ("save_every", "4", "3"), ("verify.every", "2", "3.0"), ("keep", "7", "3"),
        ("verify.batch_size", "4", "8"), ("verify.fmr", "[0.5]", "[0.01, 0.001, 0.0001]"),
        ("kvstore", "local", "device"), ("test.bootstrap", "9", "1000"), ("head.s", "9", "8.0"),
        ("verify.split", "false", "True"),
    ],
)  # fmt: skip
def test_a_key_that_one_worker_has_otherwise(tmp_path: Path, key: str, value: str, before: str) -> None:
    """Not only what shapes the result: workers that log or save at other steps would wait for each other for ever."""
    said = refusals(tiny_config(tmp_path, tmp_path), tiny_config(tmp_path, tmp_path, f"{key}={value}"))
    assert said[0] == said[1]
    assert said[0].startswith(f"worker 1 has {key}=")
    assert f", worker 0 has {before}; start all of them with the same configuration" in said[0].replace("'", "")


def test_a_group_that_only_one_worker_has(tmp_path: Path) -> None:
    plain, options = (tiny_config(tmp_path, tmp_path, head={"name": "adaface", "s": 8.0, **more})
                      for more in ({}, {"options": {"h": 0.5}}))  # fmt: skip
    assert refusals(plain, options)[0].startswith("worker 1 has head.options=")
    sources = [{"name": name, "data": {"path": str(tmp_path)}, "batch_size": 4} for name in "ab"]
    one, other = (tiny_config(tmp_path, tmp_path, sources=order) for order in (sources, sources[::-1]))
    assert refusals(one, other)[0].startswith("worker 1 has sources.0.name='b', worker 0 has 'a'")


def test_what_a_machine_has_of_its_own(tmp_path: Path) -> None:
    own = (
        "devices=cpu1", f"output={tmp_path}/elsewhere", "data.path=there", "data.root=there", "data.threads=7",
        "data.in_memory=true", "head.scratch=there", "verify.sets=[there]", "test.sets=[there]",
    )  # fmt: skip
    assert refusals(tiny_config(tmp_path, tmp_path), tiny_config(tmp_path, tmp_path, *own)) == ["", ""]
