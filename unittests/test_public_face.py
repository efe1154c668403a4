"""The names that a user types: there, light to import, and with examples that run."""

import doctest
import importlib
import inspect
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fairface
import fairface.scoring
from fairface import align, embed, load_model, similarity
from fairface.checkpoints import resolve
from fairface.embedding.thresholds import Thresholds, save_thresholds, weights_sum
from fairface.errors import DataError
from fairface.faces.align import TEMPLATE_112
from fairface.scoring import fairness, identification, retrieval, verification
from fairface.scoring.fairness.assess import assess
from fairface.scoring.fairness.threshold import calibrated_threshold
from unittests.scoring.fairness.helpers import small_world
from unittests.scoring.test_decision import POINTS

PACKAGES = ("fairface", "fairface.scoring", "fairface.scoring.fairness", "fairface.scoring.identification",
            "fairface.scoring.retrieval")  # fmt: skip
SCORING = (fairness, identification, retrieval, verification)
EXAMPLES = [fairface.load_model, fairface.align, fairface.embed, fairface.similarity, fairface.decide]
EXAMPLES += [function for module in SCORING for name in sorted(module.__all__)
             if inspect.isfunction(function := getattr(module, name))]  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The model of the examples, a tiny one: models/r50,0 takes 112 pixels and gives 512 values."""
    from fairface.mx import mx, nn

    folder = tmp_path_factory.mktemp("place")
    (folder / "models").mkdir()
    mx.random.seed(0)
    net = nn.HybridSequential()
    net.add(nn.AvgPool2D(28, 28), nn.Flatten(), nn.Dense(512, use_bias=False, in_units=3 * 4 * 4))
    net.initialize(mx.init.Xavier())
    net.hybridize()
    net(mx.nd.zeros((1, 3, 112, 112)))
    net.export(str(folder / "models" / "r50"), 0)
    files = resolve(str(folder / "models" / "r50,0"))
    save_thresholds(files, Thresholds(0, weights_sum(files), True, "lfw", "2026-01-31", POINTS))
    return folder


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_is_there_and_listed(name):
    package = importlib.import_module(name)
    assert set(package.__all__) <= set(dir(package))
    for public in package.__all__:
        found = getattr(package, public)
        assert inspect.getdoc(found)
        assert inspect.ismodule(found) or found.__name__ == public
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'nothing'"):
        _ = package.nothing


def test_scoring_has_examples_of_everything_it_does():
    assert {public.__name__ for public in EXAMPLES} >= {"verify_embeddings", "worst_group", "identify_scores"}
    assert {module.__name__ for module in SCORING} == {f"fairface.scoring.{name}" for name in fairface.scoring.__all__}


@pytest.mark.parametrize("public", [*EXAMPLES, "Model"], ids=lambda public: getattr(public, "__qualname__", public))
def test_the_example_in_the_docstring_runs(public, models, monkeypatch):
    monkeypatch.chdir(models)
    if public == "Model":
        public = type(load_model("models/r50,0"))
    tests = doctest.DocTestFinder(recurse=False).find(public, public.__name__, globs={})
    assert [len(test.examples) > 1 for test in tests] == [True]
    told: list[str] = []
    doctest.DocTestRunner().run(tests[0], out=told.append)
    assert told == []


@pytest.mark.parametrize("statement", ["import fairface", "import fairface.scoring",
                                       "from fairface.scoring import verification, fairness; fairness.evaluate",
                                       "from fairface import similarity, align, decide; decide"])  # fmt: skip
def test_importing_is_light_and_free_of_mxnet(statement):
    code = f"import sys; {statement}; print('mxnet' in sys.modules, 'numpy' in sys.modules)"
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        seconds.append(time.monotonic() - began)
    bare = "from" not in statement
    assert done.stdout.split() == ["False", str(not bare)]
    if bare:
        assert min(seconds) < 1


def test_embeddings_are_those_of_the_net(models, monkeypatch):
    from fairface.mx import mx

    monkeypatch.chdir(models)
    model = load_model("models/r50,0", "cpu0")
    faces = np.random.default_rng(1).integers(0, 256, (3, 112, 112, 3), np.uint8)
    by_hand = [sum(model.loaded.net(mx.nd.array(view.transpose(2, 0, 1)[None].astype(np.float32))).asnumpy()[0]
                   for view in (face, face[:, ::-1])) for face in faces]  # fmt: skip
    found = embed(model, faces)
    np.testing.assert_allclose(found, by_hand, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(embed(model, list(faces)), found)
    single = model.loaded.net(mx.nd.array(faces[0].transpose(2, 0, 1)[None].astype(np.float32))).asnumpy()
    np.testing.assert_allclose(embed(model, faces[:1], flip=False), single, rtol=0, atol=1e-3)
    with pytest.raises(DataError, match=r"image 1 is \(5, 5, 3\), image 0 is \(112, 112, 3\)"):
        embed(model, [faces[0], faces[0][:5, :5]])
    for paths in ("ann/1.jpg", ["ann/1.jpg"], [faces[0], Path("ann/1.jpg")]):
        with pytest.raises(DataError, match=r"'ann/1\.jpg' is a path, not an aligned face; give align\('ann/1\.jpg'\)"):
            embed(model, paths)


class Fixed:
    """A detector that finds one face, half as large as the template, at (40, 30)."""

    def detect(self, rgb):
        from fairface.faces.detect import Faces

        points = (TEMPLATE_112 / 2 + np.float32([40, 30]))[None]
        return Faces(np.array([[40, 30, 96, 86]], np.float32), np.ones(1, np.float32), points.astype(np.float32))


def test_align_takes_pixels_or_a_path(tmp_path):
    import cv2

    rgb = cv2.resize(np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8), (180, 140))
    crop = align(rgb, detector=Fixed())
    points = TEMPLATE_112 / 2 + np.float32([40, 30])
    np.testing.assert_array_equal(crop, align(rgb, points))
    # The face is enlarged twice: every second pixel of the crop is one of the photograph.
    np.testing.assert_allclose(crop[::2, ::2].astype(int), rgb[30:86, 40:96].astype(int), atol=1)
    cv2.imwrite(str(tmp_path / "a.png"), rgb[:, :, ::-1])
    np.testing.assert_array_equal(align(tmp_path / "a.png", detector=Fixed()), crop)
    np.testing.assert_array_equal(align(str(tmp_path / "a.png"), points), crop)
    with pytest.raises(DataError, match=r"none\.png: cannot be read"):
        align(tmp_path / "none.png")
    with pytest.raises(DataError, match=r"is float64 \(8, 8, 3\); it must be uint8"):
        align(np.zeros((8, 8, 3)))
    with pytest.raises(DataError, match="no face found in 60x50 pixels"):
        align(np.zeros((50, 60, 3), np.uint8))


def test_the_lines_of_the_readme_run(root, models, monkeypatch, capsys):
    import cv2

    monkeypatch.chdir(models)
    monkeypatch.setattr("fairface.faces.main_crop.MtcnnDetector", Fixed)
    rng = np.random.default_rng(2)
    photographs = [f"photos/{name}/1.jpg" for name in ("ada", "grace")]
    for path in map(Path, photographs):
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), cv2.resize(rng.integers(0, 256, (7, 9, 3), np.uint8), (180, 140)))
    block = re.search(r"```python\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(block[1].replace('"my_photos"', '"models/r50,0"'), "README.md", "exec"), {})
    value = float(capsys.readouterr().out)
    assert -1 <= value < 0.999
    faces = [align(path) for path in photographs]
    assert value == pytest.approx(similarity(*embed(load_model("models/r50,0"), faces)), abs=1e-6)


def test_similarity_is_the_cosine_by_a_loop():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((4, 6)), 1e-3 * rng.standard_normal((5, 6))
    loop = [[np.dot(x, y) / np.sqrt(np.dot(x, x) * np.dot(y, y)) for y in b] for x in a]
    np.testing.assert_allclose(similarity(a, b), loop, atol=1e-12)
    np.testing.assert_allclose(similarity(a[0], b), loop[0], atol=1e-12)
    np.testing.assert_allclose(similarity(a, b[1]), [row[1] for row in loop], atol=1e-12)
    value = similarity(a[2], b[3])
    assert isinstance(value, float)
    assert value == pytest.approx(loop[2][3], abs=1e-12)
    with pytest.raises(DataError, match="6 and 2 values; compare those of one model"):
        similarity(a, [1.0, 2.0])
    with pytest.raises(DataError, match="of length zero"):
        similarity(a, np.zeros(6))


def test_scores_of_arrays_are_those_of_comparisons():
    scores, comparisons = small_world(worse=0.1)
    people = np.stack([comparisons.subject_a, comparisons.subject_b], 1)
    names = np.array(comparisons.attribute_values[0])
    sex = np.stack([names[comparisons.attributes[ends, 0]] for ends in (comparisons.a, comparisons.b)], 1)
    found = verification.evaluate(scores, comparisons.same.astype(int), people, fmr=[0.01])
    wanted = verification.verify(scores, comparisons, fmr=[0.01])
    assert found.auc == wanted.auc
    assert found.tar == wanted.tar
    assert found.subjects == wanted.subjects
    judged = fairness.evaluate(scores, comparisons.same, {"sex": sex}, people)
    threshold = calibrated_threshold(scores, comparisons.same, 0.01)
    by_hand = assess(scores, comparisons, ["sex"], threshold)
    assert judged.threshold == by_hand.threshold
    rows = [(row.group, row.subjects, row.fnmr.value, row.fmr.value) for row in judged.groupings["sex"].rows]
    assert rows == [(r.group, r.subjects, r.fnmr.value, r.fmr.value) for r in by_hand.groupings["sex"].rows]
    assert fairness.evaluate(scores, comparisons.same, {"sex": sex}, threshold=0.3).threshold.value == 0.3


def test_embeddings_are_compared_two_by_two():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 8))
    same = np.arange(200) % 2 == 0
    rows[1::4] = rows[::4] + 0.5 * rng.standard_normal((100, 8))
    scores = [similarity(one, other) for one, other in zip(rows[::2], rows[1::2], strict=True)]
    assert verification.evaluate(rows, same).auc == pytest.approx(verification.evaluate(scores, same).auc, abs=1e-12)


@pytest.mark.parametrize(("arguments", "message"), [
    (([1, 0], [[1], [0]], {}), r"'same' has shape \(2, 1\)"), (([1, 0], [1, 2], {}), "True or False"),
    (([1, 0], [1, 0], {"sex": [["f", "m"]]}), r"sex has shape \(1, 2\); it must be \(2, 2\)"),
    (([1, 0], [1, 0], {"sex": ["f", "m"]}, [1, 2, 3]), r"subjects has shape \(3,\)"),
    ((range(130), [1, 0] * 65, {"age": range(130)}), "age has 130 values; group them"),
])  # fmt: skip
def test_arrays_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(DataError, match=message):
        fairness.evaluate(*arguments)


def test_unknown_values_belong_to_no_group():
    scores, comparisons = small_world(worse=0.1)
    people = np.stack([comparisons.subject_a, comparisons.subject_b], 1)
    sex = np.where(people < np.median(people), "f", "m").astype(object)
    sex[people == people[0, 0]] = None
    judged = fairness.evaluate(scores, comparisons.same, {"sex": sex}, people, fmr=0.05)
    assert [row.group for row in judged.groupings["sex"].rows] == ["f", "m"]
    counted = sum(row.subjects for row in judged.groupings["sex"].rows)
    assert counted == len(np.unique(people)) - 1
