"""Before, between and after the steps: what a run checks, when it saves and scores, what it says."""

import hashlib
import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fairface
from fairface.checkpoints import CheckpointFiles
from fairface.comparisons import Comparisons
from fairface.config.load import as_dict
from fairface.config.schema import TrainConfig, VerifyConfig
from fairface.data.array import ArrayDataset
from fairface.data.encoded import EncodedDataset
from fairface.data.images import decode, encode_png
from fairface.data.loading.samplers import RandomSampler
from fairface.data.loading.source import Source
from fairface.data.pairsets.bin_set import write_bin
from fairface.errors import CheckpointError, ConfigError, DataError
from fairface.heads import build_head
from fairface.methods.base import Stage
from fairface.methods.classify import Classify
from fairface.mx import mx, nd
from fairface.report.sheet import contact_sheet
from fairface.training import restore, setup
from fairface.training.checkpointer import Checkpointer, method_state
from fairface.training.comparison_sets import distinct_titles, open_sets, verification_names
from fairface.training.log import RunLog
from fairface.training.preflight import check_claim, check_needs, claim_folder, remove_run
from fairface.training.restore import changed_images, check_data, differences, newest_whole, saved_config
from fairface.training.run import describe_data, report_skipped, write_class_names, write_sheet
from fairface.training.setup import check_resumable, content, fingerprint, git_commit, total_steps
from fairface.training.start import head_from_mean_embeddings
from fairface.training.verifier import Verifier
from fairface.training.worst_rate import check_groups
from unittests.methods.helpers import Flat
from unittests.training.helpers import tiny_config


def source(count=10, batch=4, labels=None, codes=None, files=None):
    images = np.zeros((count, 6, 6, 3), np.uint8)
    labels = np.arange(count) % 5 if labels is None else labels
    data = ArrayDataset(images, labels, codes, ("sex",) if codes is not None else ())
    if files is not None:
        data = EncodedDataset(files, "files")
    return Source(data, batch, RandomSampler(len(data), batch, 0), name="photos")


@pytest.mark.parametrize(
    ("epochs", "steps", "total"),
    [(2.0, 0, 5), (2.0, 3, 3), (0.1, 0, 1), (0.4, 0, 1), (0.8, 0, 2), (0.41, 0, 2), (4, 0, 10)],
)
def test_a_run_is_as_long_as_its_longest_source(epochs, steps, total):
    """2.5 steps are an epoch of ten images in batches of four."""
    config = TrainConfig(epochs=epochs, steps=steps)
    assert total_steps(config, [source(), source(4)]) == total
    with pytest.raises(ConfigError, match="epochs and steps are both 0; set one of them"):
        total_steps(TrainConfig(epochs=0.0, steps=0), [source()])


def test_other_labels_attributes_or_order_are_other_data():
    plain = source(codes=np.zeros((10, 1)))
    assert fingerprint([plain]) == fingerprint([source(codes=np.zeros((10, 1)))])
    others = [source(), source(codes=np.ones((10, 1))), source(9), source(labels=np.arange(10) // 5)]
    assert len({fingerprint([item]) for item in [plain, *others]}) == 5
    assert fingerprint(others) != fingerprint(others[::-1])


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_a_sample_of_sixty_four_images_spread_evenly(count):
    files = [f"image {i}".encode() for i in range(count)]
    places = sorted({int(i * (count - 1) / 63) for i in range(64)})
    expected = [hashlib.sha256(files[i]).hexdigest()[:16] for i in places]
    found = content([source(files=files), source(files=files[:1])])
    assert len(found) == min(count, 64) + 1
    assert found[0] == found[-1] == expected[0]
    assert found[-2] == expected[-1]
    assert set(found) <= {hashlib.sha256(file).hexdigest()[:16] for file in files}
    if count in (1, 64):
        assert found[:-1] == expected

    class Bad(EncodedDataset):
        def encoded(self, index):
            raise DataError("gone")

    assert content([Source(Bad([b"", b""], "bad"), 1, RandomSampler(2, 1, 0))]) == ["bad", "bad"]


def test_the_commit_of_the_tree(tmp_path, monkeypatch):
    (tmp_path / "fairface").mkdir()
    monkeypatch.setattr(fairface, "__file__", str(tmp_path / "fairface" / "__init__.py"))
    assert git_commit() is None  # no checkout
    (tmp_path / ".git").mkdir()
    assert git_commit() is None  # no commit

    def called(command, **options):
        assert command == ["git", "-C", str(tmp_path), "rev-parse", "HEAD"]
        return SimpleNamespace(stdout="abc\n")

    monkeypatch.setattr(setup.subprocess, "run", called)
    assert git_commit() == "abc"

    def missing(*arguments, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(setup.subprocess, "run", missing)
    assert git_commit() is None


def test_what_may_change_when_a_run_goes_on():
    config = TrainConfig(name="x", output="out")
    saved = as_dict(config)
    free = {
        "devices": "cpu0", "gpus": "1", "kvstore": "local", "output": "other", "save_every": 9, "keep": 9,
        "verify": {**saved["verify"], "every": 3, "sets": ["a"], "folds": 5, "batch_size": 1, "fmr": [0.1]},
        "test": {}, "log": {},
        "data": {**saved["data"], "path": "p", "root": "r", "checksums": False, "threads": 3, "prefetch": 0,
                 "in_memory": True},
    }  # fmt: skip
    check_resumable(config, saved)
    check_resumable(config, {**saved, **free})
    check_resumable(config, {key: value for key, value in saved.items() if key != "seed"})  # of an older version
    for key, value in (
        ("seed", 5), ("batch_size", 1), ("epochs", 1.0), ("head", {**saved["head"], "s": 1.0}),
        ("data", {**saved["data"], "where": "sex=f"}), ("data", {**saved["data"], "image_size": 5}),
        ("verify", {**saved["verify"], "monitor": "eer"}), ("verify", {**saved["verify"], "protected": ["sex"]}),
    ):  # fmt: skip
        with pytest.raises(CheckpointError) as caught:
            check_resumable(config, {**saved, key: value})
        assert str(caught.value).startswith(f"out/x: {key}")
        assert " was " in str(caught.value)
        assert "a resumed run keeps its configuration" in str(caught.value)


def manifest(folder: Path, **facts) -> Path:
    folder.mkdir(exist_ok=True)
    entries = facts.pop("checkpoints", [])
    (folder / "manifest.json").write_text(json.dumps({"checkpoints": entries, "sha256": {}, **facts}))
    return folder


@pytest.mark.parametrize(("changed", "refused"), [(0, False), (2, False), (3, True), (20, True)])
def test_a_tenth_of_the_images_may_have_been_replaced(tmp_path, changed, refused):
    before = [str(i) for i in range(20)]
    now = {"data_fingerprint": "f", "content": ["x"] * changed + before[changed:]}
    run = manifest(tmp_path / "run", data_fingerprint="f", content=before)
    assert changed_images({"content": before}, now) == list(range(changed))
    if refused:
        with pytest.raises(
            CheckpointError, match=r"run: the training data changed since the run began \(images differ\);"
        ):
            check_data(run, now)
    else:
        check_data(run, now)
    with pytest.raises(CheckpointError, match=r"\(labels or attributes differ\)"):
        check_data(run, {**now, "data_fingerprint": "g"})
    assert changed_images({}, now) == []  # of before there was a sample


def test_what_makes_the_bits_of_a_resumed_run_differ(tmp_path):
    facts = {"content": ["a", "b"], "threads": "2", "devices": ["cpu(0)"]}
    run = manifest(tmp_path / "run", **facts)
    assert differences(run, facts) == []
    assert differences(manifest(tmp_path / "old"), facts) == []
    assert differences(run, {"content": ["a", "c"], "threads": "1", "devices": ["gpu(0)"]}) == [
        "1 of 2 sampled images are not what they were when the run began",
        "OMP_NUM_THREADS was 2 and is now 1: the run goes on, but not to the same bits",
        "the devices was ['cpu(0)'] and is now ['gpu(0)']: the run goes on, but not to the same bits",
    ]


def test_configurations_of_older_runs(tmp_path):
    (tmp_path / "config.yaml").write_text("method: pair\npair: {alpha: 1}\nfinal: {sets: []}\nseed: 3\n")
    assert saved_config(tmp_path) == {"method": "triplet", "triplet": {"alpha": 1}, "test": {"sets": []}, "seed": 3}
    (tmp_path / "config.yaml").write_text("method: fused\n")
    assert saved_config(tmp_path) == {"method": "fused"}
    for text, said in (("- 1\n", "config.yaml: is damaged;"), ("a: [", "config.yaml: cannot be read (")):
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(CheckpointError) as caught:
            saved_config(tmp_path)
        assert said in str(caught.value)
        assert str(caught.value).endswith("the run cannot be resumed")


def test_only_checkpoints_with_a_state_can_be_resumed(tmp_path):
    files = {"params": "model-0001.params", "symbol": "model-symbol.json"}
    said = "cannot be resumed (no checkpoint with the optimizer's state was kept); start_from="
    for entries in ([], [{"step": 1, "files": files}]):
        with pytest.raises(CheckpointError) as caught:
            newest_whole(manifest(tmp_path / "run", checkpoints=entries))
        assert f"run: {said}" in str(caught.value)
    entries = [{"step": step, "files": {**files, "state": "state-0001.params"}} for step in (1, 2)]
    with pytest.raises(CheckpointError) as caught:
        newest_whole(manifest(tmp_path / "run", checkpoints=entries))
    assert str(caught.value).count("model-0001.params") == 1  # the newest one's trouble


FILES = (
    "log.jsonl", "metrics.json", "group.json", "batch.png", "classes.json", "classes-1.json", "config.yaml",
    "manifest.json", "model-symbol.json", "model-0001.params", "blocks-0001.params", "state-0001.params", ".x.part",
)  # fmt: skip


def test_overwriting_removes_a_runs_files_and_no_others(tmp_path):
    for name in (*FILES, "mine.txt", "model.txt", "classes.txt"):
        (tmp_path / name).touch()
    for name in ("tensorboard", ".part-7", "photos"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").touch()
    remove_run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["classes.txt", "mine.txt", "model.txt", "photos"]


@pytest.mark.parametrize(
    ("there", "resume", "overwrite", "said"),
    [
        ((), False, False, ""),
        ((), False, True, ""),
        ((), True, False, "there is no checkpoint to resume; leave out --resume to start the run"),
        (("config.yaml",), True, False, "there is no checkpoint to resume; --overwrite starts the run again"),
        (
            ("config.yaml",),
            False,
            False,
            "holds a run; it saved nothing, --overwrite replaces it, name=… makes another",
        ),
        (("config.yaml",), False, True, ""),
        (("manifest.json",), False, False, "holds a run; --resume continues it, --overwrite replaces it, name=… makes"),
        (("manifest.json",), True, False, ""),
        (("manifest.json",), True, True, ""),
        (("manifest.json",), False, True, ""),
        (
            ("model-0001.params",),
            False,
            True,
            "holds model-0001.params, which no run wrote; move it away, or give this",
        ),
        (("model-0001.params",), False, False, "holds model-0001.params, which no run wrote"),
        (("manifest.json", "model-0001.params"), False, True, ""),
        (("notes.txt",), False, False, ""),
    ],
)
def test_whether_a_folder_may_be_written(tmp_path, there, resume, overwrite, said):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in there:
        (folder / name).touch()
    if said:
        for check in (check_claim, claim_folder):
            with pytest.raises(CheckpointError) as caught:
                check(folder, resume, overwrite)
            assert str(caught.value).startswith(f"{folder}: {said}")
        return
    check_claim(folder, resume, overwrite)
    assert {path.name for path in folder.iterdir()} == set(there)
    claim_folder(folder, resume, overwrite)
    removed = overwrite and not resume and there != ("notes.txt",)
    assert {path.name for path in folder.iterdir()} == (set() if removed else set(there))
    link = tmp_path / "link"
    link.symlink_to(folder)
    if there and overwrite and not resume:
        (folder / "manifest.json").touch()
        with pytest.raises(CheckpointError, match="link: is a link, which --overwrite does not follow; remove it"):
            check_claim(link, resume, overwrite)
        check_claim(link, True, overwrite)


def test_a_stage_needs_blocks_of_the_stage_before(tmp_path):
    blocks = {"backbone": object(), "head": object()}
    method = SimpleNamespace(
        stages={"first": Stage(("head",)), "second": Stage(("backbone",), ("head",)), "third": Stage((), ("other",))},
        blocks=lambda: blocks, inference=lambda: blocks["backbone"],
    )  # fmt: skip
    check_needs(method, TrainConfig(stage="first"))
    for stage, said in (
        (
            "second",
            "stage second needs the block head, which start_from does not name; train it first: stage=first name=…",
        ),
        ("third", "stage third needs the block other, which start_from does not name; start from another one"),
    ):
        with pytest.raises(CheckpointError) as caught:
            check_needs(method, TrainConfig(stage=stage))
        assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("save", "verify", "due"),
    [(3, 0, [3, 6]), (4, 3, [3, 4, 6]), (9, 2, [2, 4, 6]), (9, 0, []), (1, 5, [1, 2, 3, 4, 5, 6])],
)
def test_what_is_due_after_a_step(save, verify, due):
    checkpointer = Checkpointer(None, None, None, None, None, save, verify, {})
    assert [step for step in range(1, 7) if checkpointer.due(step)] == due
    assert checkpointer.scale is None


class Recorded:
    """Stands for the folder of a run; remembers what is saved."""

    def __init__(self, best=None):
        self.folder, self.best, self.saved = Path("models/x"), best, []

    def best_score(self):
        return self.best

    def last_step(self):
        return None

    def save(self, step, inference, blocks, state, position, score, is_best):
        self.saved.append((step, score, is_best))
        self.state, self.position = state, position


def checkpointer_of(folder, score=0.5, monitor="auc", verify_every=2):
    method = SimpleNamespace(blocks=dict, inference=lambda: "net", state=lambda: {"t": np.array([2.0])})
    updates = SimpleNamespace(state=lambda: {"o.x": nd.ones((1,))}, optimizer=SimpleNamespace(updates=7))

    def run(net, step, log):
        if score == "bad":
            raise DataError("a set is gone")
        return score

    judge = Verifier([], VerifyConfig(monitor=monitor), [], 8)
    verifier = SimpleNamespace(run=run, better=judge.better)
    return Checkpointer(folder, method, updates, verifier, "log", 3, verify_every, {"total": 9})


def test_when_a_checkpoint_is_scored():
    for step, stopping, score in ((2, False, 0.5), (3, False, None), (9, False, 0.5), (2, True, None), (9, True, None)):
        folder = Recorded()
        checkpointer_of(folder).after_step(step, 9, stopping)
        assert folder.saved == [(step, score, score is not None)]
    folder = Recorded()
    checkpointer_of(folder, verify_every=0).after_step(2, 9)
    assert folder.saved == [(2, None, False)]
    assert folder.position == {"total": 9, "updates": 7}
    assert set(folder.state) == {"o.x", "method.t"}
    assert method_state(folder.state) == {"t": np.array([2.0])}
    folder = Recorded()
    with pytest.raises(DataError, match="a set is gone"):
        checkpointer_of(folder, "bad").after_step(2, 9)
    assert folder.saved == [(2, None, False)]


@pytest.mark.parametrize(
    ("monitor", "score", "best", "is_best"),
    [
        ("auc", 0.5, None, True), ("auc", 0.5, 0.4, True), ("auc", 0.5, 0.5, True), ("auc", 0.5, 0.6, False),
        ("eer", 0.5, 0.4, False), ("eer", 0.5, 0.5, True), ("eer", 0.5, 0.6, True), ("fmr_worst", 0.5, 0.4, False),
        ("fnmr_worst", 0.5, 0.6, True), ("accuracy", 0.5, 0.6, False), ("auc", math.nan, None, False),
        ("auc", None, None, False), ("auc", math.inf, 0.1, False),
    ],
)  # fmt: skip
def test_which_checkpoint_is_the_best(monitor, score, best, is_best):
    folder = Recorded(best)
    config = {"monitor": monitor}
    checkpointer = checkpointer_of(folder, monitor="auc")
    checkpointer.verifier = SimpleNamespace(
        better=lambda a, b: Verifier.better(SimpleNamespace(config=SimpleNamespace(**config)), a, b)
    )
    checkpointer.save(4, score)
    assert folder.saved[0][2] == is_best


def test_titles_of_sets_and_what_is_opened(tmp_path):
    assert distinct_titles(["b/a/lfw.bin", "c/a/lfw.bin", "c/b/lfw.bin"]) == ["b/a/lfw", "c/a/lfw", "b/lfw"]
    assert distinct_titles(["a/lfw.bin", "b/lfw.bin"]) == ["a/lfw", "b/lfw"]
    assert distinct_titles(["lfw.bin"]) == [None]
    jpeg = encode_png(np.zeros((6, 6, 3), np.uint8))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_bin(tmp_path / folder / "lfw.bin", [jpeg] * 4, [True, False])
    names = [f"{tmp_path}/a/lfw.bin", f"{tmp_path}/b/lfw.bin", f"{tmp_path}/a/lfw.bin"]
    assert [item.name for item in open_sets(names, 6)] == ["a/lfw", "b/lfw"]
    with pytest.raises(DataError, match=r"a/lfw\.bin, image 0: the image is 6x6 pixels, not 7x7") as caught:
        open_sets(names, 7)
    assert caught.value.settings == ()
    config = tiny_config(tmp_path, tmp_path / "a")
    assert verification_names(config) == config.verify.sets == (str(tmp_path / "a"),)
    bare = tiny_config(tmp_path, tmp_path / "a", "verify.sets=[]")
    assert verification_names(bare) == (f"{tmp_path}/a/lfw.bin",)
    assert verification_names(tiny_config(tmp_path, tmp_path / "a" / "lfw.bin", "verify.sets=[]")) == ()


def test_fewer_impostors_than_a_rate_needs():
    who = np.arange(10)
    a, b = np.zeros(20, int), np.tile(np.arange(10), 2)
    comparisons = Comparisons(
        a=a, b=b, same=np.arange(20) >= 10, fold=np.full(20, -1, np.int32), subject_a=who[a], subject_b=who[b],
        attributes=np.zeros((10, 1), np.int8), attribute_names=("sex",), attribute_values=(("f",),),
    )  # fmt: skip
    check_groups(comparisons, ["sex"], 0.1, "set")
    for fmr, wanted in ((0.099, 11), (0.05, 20), (0.03, 34)):
        said = f"set: 10 impostor comparisons cannot fix a threshold at FMR {fmr:g}; it needs at least {wanted}, or a"
        with pytest.raises(DataError) as caught:
            check_groups(comparisons, ["sex"], fmr, "set")
        assert str(caught.value).startswith(said)
    with pytest.raises(DataError, match=r"^set: .*age"):
        check_groups(comparisons, ["age"], 0.1, "set")


class Fixed:
    """Gives known embeddings."""

    def __init__(self, embeddings):
        self.embeddings = embeddings

    def embed(self, dataset):
        return self.embeddings.astype(np.float32)


def test_a_head_of_mean_embeddings_by_hand():
    """The direction of the mean of unit vectors, at the length that the weight has; class 2 has no image."""
    head = build_head(TrainConfig().head, 2, 4)
    head.initialize()
    before = np.array([[3.0, 4.0], [0.0, 2.0], [1.0, 1.0], [6.0, 8.0]])
    head.weight.set_data(nd.array(before))
    embeddings = np.array([[10.0, 0.0], [0.0, 0.05], [0.0, 0.0], [-3.0, 4.0], [5.0, 5.0], [2.0, 0.0]])
    data = ArrayDataset(np.zeros((6, 4, 4, 3), np.uint8), [0, 0, 0, 1, -1, 3], num_classes=4)
    assert head_from_mean_embeddings(head, Fixed(embeddings), data) == 3
    half = math.sqrt(0.5)
    expected = [[5 * half, 5 * half], [-2 * 0.6, 2 * 0.8], [1.0, 1.0], [10.0, 0.0]]
    np.testing.assert_allclose(head.weight.data().asnumpy(), expected, rtol=1e-6, atol=1e-6)
    for other in (Flat(), build_head(TrainConfig().head, 3, 4), build_head(TrainConfig().head, 2, 3)):
        other.initialize()
        with pytest.raises(CheckpointError, match=r"this head has no weight per class; use head\.init_from=random"):
            head_from_mean_embeddings(other, Fixed(embeddings), data)


def run_of(tmp_path, *sources, skipped=None):
    method = SimpleNamespace(sources=lambda: sources)
    return SimpleNamespace(
        method=method, world=SimpleNamespace(contexts=(mx.cpu(0), mx.cpu(1))), folder=tmp_path / "run", total=9,
        loader=SimpleNamespace(skipped=skipped or {}),
    )  # fmt: skip


def test_what_is_said_of_the_data(tmp_path, capsys):
    log = RunLog(tmp_path)
    one = source(5, labels=[0, 0, 1, 2, 2])
    one.dataset.notes = ("a note",)
    describe_data(run_of(tmp_path, one), log)
    assert capsys.readouterr().err.splitlines() == [
        "a note",
        "data: 5 images of 3 identities, batch 4",
        "warning: 1 identities have one image only; a classifier learns little from them",
        f"run: {tmp_path / 'run'}, 9 steps on cpu(0), cpu(1)",
    ]
    describe_data(run_of(tmp_path, source(4, labels=[0] * 4), source(6, labels=[-1] * 6)), log)
    assert capsys.readouterr().err.splitlines()[:3] == [
        "source photos: 4 images of 1 identities, batch 4",
        "warning: only one identity: nothing to classify",
        "source photos: 6 images without labels, batch 4",
    ]
    report_skipped(run_of(tmp_path), log)
    assert capsys.readouterr().err == ""
    report_skipped(run_of(tmp_path, skipped={"a.jpg": "is bad", "b.jpg": "is worse"}), log)
    assert capsys.readouterr().err == "warning: 2 bad records were skipped; log.jsonl lists them\n"
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(line["event"], line["step"], line["record"], line["reason"]) for line in lines] == [
        ("skipped", 9, "a.jpg", "is bad"), ("skipped", 9, "b.jpg", "is worse")]  # fmt: skip


def test_names_of_the_classes_are_kept_beside_the_run(tmp_path):
    write_class_names(tmp_path, 0, ())
    assert list(tmp_path.iterdir()) == []
    write_class_names(tmp_path, 0, ("Bø", "a"))
    write_class_names(tmp_path, 2, ("c",))
    assert (tmp_path / "classes.json").read_text(encoding="utf-8") == '[\n"Bø",\n"a"\n]'
    assert json.loads((tmp_path / "classes-2.json").read_text()) == ["c"]


@pytest.mark.parametrize("count", [3, 64, 65])
def test_the_sheet_shows_the_first_sixty_four_images_in_rows_of_eight(tmp_path, count):
    images = np.random.default_rng(0).integers(0, 256, (count, 10, 10, 3), dtype=np.uint8)
    write_sheet(SimpleNamespace(images=images), tmp_path)
    sheet = decode((tmp_path / "batch.png").read_bytes(), "sheet")
    assert (sheet == contact_sheet(images[:64], columns=8)).all()


def test_blocks_of_a_checkpoint_come_back_under_their_names(tmp_path, monkeypatch):
    head = build_head(TrainConfig().head, 8, 5)
    method = Classify(Flat(), head, [source()])
    for block in method.blocks().values():
        block.initialize()
    wanted = nd.random.normal(shape=(5, 8))
    monkeypatch.setattr(restore, "load_inference", lambda net, files: "")
    monkeypatch.setattr(restore, "load_arrays", lambda path: {"head.weight": wanted, "header.weight": nd.ones((1,))})
    run = SimpleNamespace(method=method)
    for position, updates in (({"updates": 4}, 4), ({}, 9)):
        files = CheckpointFiles(
            name="run@9", step=9, params=Path("p"), symbol=Path("s"), blocks=Path("b"), state=Path("t"), manifest={},
            entry={"position": position},
        )  # fmt: skip
        assert restore.restore_blocks(run, files) == updates
        assert (head.weight.data().asnumpy() == wanted.asnumpy()).all()
