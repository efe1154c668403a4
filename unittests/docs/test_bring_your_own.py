"""docs/bring_your_own.md from top to bottom; frameworks that are not installed are stood in for by a few lines."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import cv2
import numpy as np

from unittests.docs.blocks import page_blocks
from unittests.docs.clone import TEST_PEOPLE, lay_out, typed
from unittests.docs.drawn_faces import draw_face

PAGE = page_blocks("docs/bring_your_own.md")
IMAGES = 3
STAND_INS = ("torch.py", "deepface.py")

# As much of PyTorch as the page calls: a net of one matrix on arrays that know `numpy()`.
TORCH = """
import contextlib
import numpy as np

class Tensor(np.ndarray):
    def numpy(self):
        return np.asarray(self)

def from_numpy(array):
    assert array.dtype == np.float32 and array.shape[1:] == (3, 112, 112) and -1 <= array.min() and array.max() <= 1
    return array.view(Tensor)

def no_grad():
    return contextlib.nullcontext()

class Net:
    def eval(self):
        return self
    def __call__(self, images):
        small = images[:, :, ::8, ::8].reshape(len(images), -1)
        return small @ np.random.default_rng(0).standard_normal((small.shape[1], 32)).astype(np.float32)

class jit:
    @staticmethod
    def load(path):
        open(path, "rb").close()
        return Net()
"""

# As much of deepface: represent() gives a list of faces, with the embedding as a list of numbers.
DEEPFACE = """
import cv2

class DeepFace:
    @staticmethod
    def represent(img_path, model_name, detector_backend):
        assert (model_name, detector_backend) == ("ArcFace", "skip")
        small = cv2.resize(cv2.imread(img_path), (6, 6)).ravel() / 255.0
        return [{"embedding": (small - small.mean()).tolist(), "facial_area": {}, "face_confidence": 0}]
"""


def prepare(clone: Path) -> None:
    """Aligned crops as the README makes them, a net of the reader's, and the two frameworks."""
    for person, name in enumerate(TEST_PEOPLE):
        for image in range(IMAGES):
            path = clone / "aligned_test" / name / f"{image + 1}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.resize(draw_face(person, image)[:, :, ::-1], (112, 112)))
    (clone / "deepface.py").write_text(DEEPFACE)
    if importlib.util.find_spec("torch") is None:
        (clone / "torch.py").write_text(TORCH)
        (clone / "mine.pt").write_bytes(b"")
    else:
        import torch

        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.AvgPool2d(8), torch.nn.Flatten(), torch.nn.Linear(3 * 14 * 14, 32))
        torch.jit.script(net).save(str(clone / "mine.pt"))


def test_every_block(tmp_path: Path) -> None:
    clone = lay_out(tmp_path)
    prepare(clone)
    listed, mine, theirs, scored, made, ranked, python = typed([block for block in PAGE if block.is_run], clone)
    assert (listed, mine, theirs, made) == ("", "", "", "")
    with np.load(clone / "mine.npz") as stored:
        assert stored["embeddings"].shape == (len(TEST_PEOPLE) * IMAGES, 32)
        rows = dict(zip(stored["names"].tolist(), stored["embeddings"].astype(np.float64), strict=True))
    for head in ("TAR at FMR 0.1", "Compared with the model before, by sex", "TPIR at FPIR", "mAP"):
        assert head in scored
    hits = [max(TEST_PEOPLE, key=lambda who, at=at: cosine(rows[f"{who}/1.jpg"], rows[at])) == at.split("/")[0]
            for at in rows if not at.endswith("/1.jpg")]  # fmt: skip
    # The programs' rank 1 is that of a loop, from embeddings and from scores.
    shares = re.findall(rf"\b{np.mean(hits):.4f}\b", scored + ranked)
    assert len(shares) >= 3
    assert re.match(r"0\.\d+ 0\.\d+\n0\.\d+\nworst FMR", python)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
