"""A configuration: types, overrides, unknown keys, ranges."""

from pathlib import Path

import pytest
import yaml

from fairface.config.keys import keys
from fairface.config.load import as_dict, dump, load_config
from fairface.config.schema import TrainConfig
from fairface.config.staged import load_staged
from fairface.errors import ConfigError

CONFIGS = sorted((Path(__file__).parents[2] / "train" / "configs").glob("*.yaml"))


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_values_and_overrides(tmp_path: Path) -> None:
    path = write(tmp_path, "name: a\noptimizer: {lr: 1e-2, milestones: [10, 20]}\ngpus: 0\n")
    config = load_config(
        path, ["optimizer.lr=0.5", "gpus=0,1", "verify.sets=a.bin, b.bin", "augment.jpeg_quality=[5,9]"]
    )
    assert config.optimizer.lr == 0.5
    assert config.optimizer.milestones == (10.0, 20.0)
    assert config.gpus == "0,1"
    assert config.verify.sets == ("a.bin", "b.bin")
    assert config.augment.jpeg_quality == (5, 9)
    assert config.batch_size == TrainConfig().batch_size


def test_empty_file_is_all_defaults(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "")) == TrainConfig()


def test_dump_reads_back_the_same(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, "head: {name: cosface, s: 30}"), ["verify.fmr=0.01"])
    assert load_config(write(tmp_path, dump(config))) == config
    assert yaml.safe_load(dump(config)) == as_dict(config)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("optimizer.lrr=1", "did you mean optimizer.lr?"),
        ("batchsize=1", "did you mean batch_size?"),
        ("lr=1", "did you mean optimizer.lr?"),
        ("optim.weight_decai=1", "did you mean optimizer.weight_decay?"),
        ("optimizer_lr=1", "did you mean optimizer.lr?"),
        ("data.pth=a", "did you mean data.path?"),
        ("lerning_rate=1", "; no known key is similar ("),
        ("optimizer.beta=1", "; no known key is similar ("),
        ("loss_function=1", "; no known key is similar ("),
        ("optimizer.lr=fast", "must be a number"),
        ("batch_size=1.5", "must be a whole number"),
        ("data.resize=1", "must be true or false"),
        ("augment.mirror=2", "between 0 and 1"),
        ("head.s=0", "head.s"),
        ("kvstore=far", "device, local"),
        ("verify.fmr=[0.1,2]", "each must lie between 0 and 1, both excluded"),
        ("steps=nan", "must be a whole number"),
        ("head.s=.nan", "must be a number"),
        ("augment.jpeg_quality=[20,2]", "lower first"),
        ("augment.jpeg_quality=[20]", "must be 2 values"),
        ("name=../x", "folder below"),
        ("name=.", "folder below"),
        ("batch_size", "write key=value"),
        ("optimizer=3", "group of keys"),
        ("name.x=3", "is a value"),
        ("optimizer.milestones=[0]", "above 0"),
    ],
)
def test_wrong_keys_and_values(tmp_path: Path, override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"(?s).*") as caught:
        load_config(write(tmp_path, "name: a"), [override])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pk_needs_a_multiple(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a multiple"):
        load_config(write(tmp_path, "sampler: {kind: pk, images_per_class: 5}\nbatch_size: 12"))


def test_devices_and_gpus_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give one of them"):
        load_config(write(tmp_path, "gpus: '0'\ndevices: cpu0"))


@pytest.mark.parametrize("text", ["- a\n- b", "a: [", "!!python/object/apply:os.system ['true']"])
def test_files_that_are_no_configuration(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load_config(write(tmp_path, text))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_configuration_loads(path: Path) -> None:
    if "\nDATASETS:" in path.read_text():  # UFace's keys, which unittests/recipes/test_uda_keys.py reads
        with pytest.raises(ConfigError, match=r"upper-case keys; run it with train/uda\.py"):
            load_config(path)
    elif "\nsteps:\n" in path.read_text():
        assert load_staged(path).name == path.stem
        with pytest.raises(ConfigError, match=r"train/finetune\.py"):
            load_config(path)
    else:
        assert load_config(path).name == path.stem


def test_keys_lists_every_key_once() -> None:
    listed = [key for key, _ in keys()]
    assert len(listed) == len(set(listed))
    assert {"seed", "optimizer.lr", "test.sets"} <= set(listed)
