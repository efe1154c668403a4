"""A checkpoint by the kind of its net: names first, then contents, never a guess."""

import shutil

import numpy as np
import pytest

from fairface.backbones import build_backbone
from fairface.checkpoints import MANIFEST
from fairface.config.schema import BackboneConfig
from fairface.errors import CheckpointError
from fairface.interop.adaface import AdaFaceFamily
from fairface.interop.pretrained import find_checkpoint
from fairface.parameters import structural
from unittests.interop.torch.torch_writer import write_state


def write_adaface(path, name):
    """A narrow net as AdaFace's programs save it."""
    key = AdaFaceFamily().key
    shapes = {key(of): p.shape for of, p in structural(build_backbone(BackboneConfig(name, 8, 0.0, 1 / 8), 32)).items()}
    write_state(path, {f"model.{of}": np.zeros(shape, np.float32) for of, shape in shapes.items() if of})


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pretrained").mkdir()
    return tmp_path / "pretrained"


@pytest.mark.parametrize(("file", "name"), [
    ("adaface_ir50_ms1mv2.ckpt", "ir_50"), ("ir_50.pth", "ir_50"), ("IR-50.PT", "ir_50"),
    ("adaface_ir101_webface12m.ckpt", "ir_101"), ("my_irse50.ckpt", "ir_se_50"), ("fresnet50_glint.pth", "fresnet50"),
])  # fmt: skip
def test_a_file_is_found_by_its_name(place, file, name):
    for other in (file, "ir_500.ckpt", "sir50.ckpt", "ir50.txt", "ir_18.ckpt"):
        (place / other).touch()
    assert find_checkpoint(name) == f"pretrained/{file}"


def test_mxnets_models_and_runs_are_found_by_their_names(place):
    for file in ("r_mobilefacenet-symbol.json", "r_mobilefacenet-0003.params", "fresnet18-symbol.json"):
        (place / file).touch()
    for run in ("ir_34-mine", "ir_34-empty"):
        (place / run).mkdir()
    (place / "ir_34-mine" / MANIFEST).touch()
    assert find_checkpoint("mobilefacenet") == "pretrained/r_mobilefacenet,3"
    assert find_checkpoint("ir_34") == "pretrained/ir_34-mine"
    (place / "r_mobilefacenet-0010.params").touch()
    with pytest.raises(CheckpointError) as caught:
        find_checkpoint("mobilefacenet")
    assert str(caught.value) == (
        "mobilefacenet: could be pretrained/r_mobilefacenet,3, pretrained/r_mobilefacenet,10; name one of them"
    )


def test_a_run_of_that_name_counts_too(place):
    (place / "ir_50.ckpt").touch()
    (place.parent / "models" / "ir_50").mkdir(parents=True)
    (place.parent / "models" / "ir_50" / MANIFEST).touch()
    with pytest.raises(CheckpointError, match=r"^ir_50: could be models/ir_50, pretrained/ir_50\.ckpt; name one"):
        find_checkpoint("ir_50")
    (place / "ir_50.ckpt").unlink()
    assert find_checkpoint("ir_50") == "models/ir_50"


def test_where_no_name_says_it_the_contents_do(place):
    write_adaface(place / "best.ckpt", "ir_18")
    write_adaface(place / "other.ckpt", "ir_34")
    (place / "run").mkdir()
    (place / "run" / MANIFEST).touch()
    (place / "run" / "config.yaml").write_text("backbone:\n  name: fresnet_tiny\n")
    assert find_checkpoint("ir_18") == "pretrained/best.ckpt"
    assert find_checkpoint("ir_34") == "pretrained/other.ckpt"
    assert find_checkpoint("fresnet_tiny") == "pretrained/run"
    shutil.copy(place / "best.ckpt", place / "named_ir18.ckpt")
    assert find_checkpoint("ir_18") == "pretrained/named_ir18.ckpt"


def test_what_is_not_found_or_not_read_is_said(place):
    with pytest.raises(CheckpointError, match=r"^pretrained: has no model with backbone ir_50; name a checkpoint"):
        find_checkpoint("ir_50")
    (place / "damaged.ckpt").write_bytes(b"PK\x03\x04 nothing")
    (place / "run").mkdir()
    (place / "run" / MANIFEST).touch()
    with pytest.raises(CheckpointError) as caught:
        find_checkpoint("ir_50")
    text = str(caught.value)
    assert text.startswith("pretrained: has no model with backbone ir_50; it holds pretrained/damaged.ckpt, pret")
    assert "; pretrained/damaged.ckpt: " in text
    assert "; pretrained/run: backbone unknown (" in text
    assert "\n" not in text
    with pytest.raises(CheckpointError, match=r"^ir_50: is looked for in the folder nowhere, which is not there"):
        find_checkpoint("ir_50", "nowhere")


@pytest.mark.parametrize("name", ["orl_demo", "orl_demo@3", "models/r50,0", "ir_51", "a/b.ckpt"])
def test_any_other_name_is_a_checkpoint_already(place, name):
    assert find_checkpoint(name) == name


def test_a_file_of_the_folder_needs_no_folder(place):
    (place / "x.ckpt").touch()
    assert find_checkpoint("x.ckpt") == "pretrained/x.ckpt"
    (place.parent / "x.ckpt").touch()
    assert find_checkpoint("x.ckpt") == "x.ckpt"
