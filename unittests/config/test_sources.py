"""Several sources in one configuration: what they share, how they are addressed, what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from fairface.config.check import check
from fairface.config.keys import keys
from fairface.config.load import dump, load_config
from fairface.config.schema import HeadConfig, SourceConfig, TrainConfig
from fairface.config.staged import load_staged
from fairface.errors import ConfigError

TEXT = """
name: two
data: {image_size: 96, path: people, on_bad_record: skip}
sampler: {kind: random, images_per_class: 2}
augment: {mirror: 0.25, color: 0.5}
head: {s: 30, options: {h: 0.2}}
sources:
  - {name: labeled, batch_size: 24, sampler: {kind: pk}}
  - {name: unlabeled, batch_size: 8, unlabeled: true, weight: 0.5,
     data: {path: crowd}, augment: {color: 0}, head: {name: cosface}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "two.yaml"
    file.write_text(TEXT)
    return file


def test_the_short_form_is_one_source() -> None:
    config = TrainConfig(batch_size=7)
    assert config.all_sources() == (SourceConfig("data", config.data, 7, config.sampler, config.augment),)
    assert config.sources == ()


def test_sources_take_over_what_they_leave_out(path: Path) -> None:
    config = load_config(path)
    labeled, unlabeled = config.all_sources()
    assert config.all_sources() is config.sources
    assert (labeled.name, labeled.data.path, labeled.data.image_size, labeled.data.on_bad_record) == (
        "labeled", "people", 96, "skip")  # fmt: skip
    assert (unlabeled.data.path, unlabeled.data.on_bad_record) == ("crowd", "skip")
    assert (labeled.sampler.kind, labeled.sampler.images_per_class, unlabeled.sampler.kind) == ("pk", 2, "random")
    assert (labeled.augment.color, unlabeled.augment.color, unlabeled.augment.mirror) == (0.5, 0.0, 0.25)
    assert (labeled.weight, labeled.unlabeled, unlabeled.weight, unlabeled.unlabeled) == (1.0, False, 0.5, True)
    assert labeled.head is None
    assert unlabeled.head == replace(config.head, name="cosface") == HeadConfig("cosface", 30.0, options={"h": 0.2})
    assert config.batch_size == 32


def test_dump_reads_back_the_same(path: Path) -> None:
    config = load_config(path)
    path.write_text(dump(config))
    assert load_config(path) == config


def test_overrides_address_a_source_by_name_or_position(path: Path) -> None:
    words = ["sources.unlabeled.data.path=/x", "sources.0.batch_size=40", "sources.unlabeled.sampler.kind=random"]
    config = load_config(path, [*words, "augment.mirror=0", "sources.labeled.head.s=9", "batch_size=48"])
    assert [source.data.path for source in config.sources] == ["people", "/x"]
    assert [source.batch_size for source in config.sources] == [40, 8]
    assert [source.augment.mirror for source in config.sources] == [0.0, 0.0]
    assert config.sources[0].head == replace(config.head, s=9.0)


def test_a_whole_list_as_override(path: Path) -> None:
    config = load_config(path, ["sources=[{name: a, batch_size: 3}]", "sources.a.weight=2"])
    assert [(source.name, source.batch_size, source.weight) for source in config.sources] == [("a", 3, 2.0)]
    assert load_config(path, ["sources=", "batch_size=5"]).all_sources()[0].batch_size == 5


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sources.1.name=labeled", "two sources have the name labeled; give each source its own name"),
        ("sources.labeled.data.path=", "the source labeled has no data; set sources.labeled.data.path"),
        ("sources.labeled.batch_size=0", "sources.labeled.batch_size is not set"),
        ("sources.labeled.batch_size=25", "sources.labeled.batch_size 25 is not a multiple of"),
        ("batch_size=33", "batch_size is 33, but the batch sizes of the sources add up to 32; leave it out"),
        ("sources.other.batch_size=3", "there is no key other; known keys: labeled, unlabeled"),
        ("sources.2.batch_size=3", "there is no key 2; known keys: labeled, unlabeled"),
        ("sources.0=3", "sources must be a list of groups of keys"),
        ("sources={a: 1}", "sources must be a list of groups of keys"),
        ("sources.0.name=", "sources.0.name is ''; give each source a name"),
        ("sources.0.name=a.b", "sources.0.name is 'a.b'; give each source a name"),
        ("sources.0.name=7", "sources.0.name is '7'; give each source a name"),
        ("sources.labeled.data.image_size=112", "sources.labeled.data.image_size is 112, but data.image_size is 96"),
        ("sources.labeled.data.threads=2", "all sources share it: set data.threads"),
        ("sources.unlabeled.sampler.kind=pk", "chooses by label, but sources.unlabeled.unlabeled=true"),
        ("sources.unlabeled.augment.mirror=2", "sources.unlabeled.augment.mirror is 2.0; it must lie between 0 and 1"),
        ("sources.unlabeled.augment.jpeg_quality=[9,3]", "sources.unlabeled.augment.jpeg_quality is [9, 3]; give two"),
        ("sources.unlabeled.data.on_missing=halt", "it must be one of: stop, skip"),
        ("sources.unlabeled.head.s=0", "sources.unlabeled.head.s is 0.0"),
        ("sources.unlabeled.weight=-1", "sources.unlabeled.weight is -1.0"),
        ("sources.unlabeled.data.pth=a", "did you mean sources.unlabeled.data.path?"),
        (
            "sources.unlabeled.optimizer.lr=1",
            "unknown key sources.unlabeled.optimizer.lr; no known key is similar",
        ),
        ("sources.unlabeled.head.scale=1", "unknown key sources.unlabeled.head.scale; no known key is similar"),
        ("sources.unlabeled.weight=heavy", "sources.unlabeled.weight must be a number"),
    ],
)
def test_what_is_wrong_is_one_line(path: Path, override: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(path, [override])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_configuration_made_in_python_is_checked_too() -> None:
    source = SourceConfig("a", replace(TrainConfig().data, path="x"), 8)
    check(TrainConfig(sources=(source,), batch_size=8))
    with pytest.raises(ConfigError, match="add up to 16"):
        check(TrainConfig(sources=(source, replace(source, name="b")), batch_size=8))


def test_steps_share_sources_and_change_one(tmp_path: Path) -> None:
    path = tmp_path / "fair.yaml"
    path.write_text(TEXT + "steps:\n- {stage: head}\n- {sources: {unlabeled: {data: {where: sex=f}, batch_size: 4}}}\n")
    words = ["sources.labeled.batch_size=10", "step1.sources.labeled.weight=3"]
    first, second = load_staged(path, words).steps
    assert [(s.name, s.batch_size, s.weight, s.data.where) for s in first.sources] == [
        ("labeled", 10, 3.0, ""), ("unlabeled", 8, 0.5, "")]  # fmt: skip
    assert [(s.name, s.batch_size, s.weight, s.data.where) for s in second.sources] == [
        ("labeled", 10, 1.0, ""), ("unlabeled", 4, 0.5, "sex=f")]  # fmt: skip
    assert (first.batch_size, second.batch_size) == (18, 14)
    assert [s.batch_size for step in load_staged(path, ["sources.unlabeled.batch_size=6"]).steps
            for s in step.sources] == [24, 6, 24, 6]  # fmt: skip
    with pytest.raises(ConfigError, match="there is no key crowd"):
        load_staged(path, ["step2.sources.crowd.weight=1"])


def test_keys_of_a_source_are_listed_with_where_they_come_from() -> None:
    listed = dict(keys())
    assert repr(listed["sources.<name>.data.path"]) == "as data.path"
    assert repr(listed["sources.<name>.head.s"]) == "as head.s"
    assert listed["sources.<name>.weight"] == 1.0
    assert {key.removeprefix("sources.<name>.") for key in listed if key.startswith("sources.<name>.data.")} == {
        key for key in listed if key.startswith("data.")
    }
