"""What programs that score refuse alike."""

import json
from argparse import Namespace

import numpy as np
import pytest

from fairface.embedding.origin import of_several_models
from fairface.embedding.store import Embeddings, save_embeddings
from fairface.errors import ConfigError
from fairface.programs import compare_runs, fairness, final_eval, find_shared_identities, verification
from fairface.programs.scoring_options import check_intervals, check_threshold, checkpoint_of, model_line

BOTH = ("--threshold", "0.4", "--fmr=0.01")


def test_a_threshold_is_given_or_set_at_an_fmr():
    for words in ((), ("--threshold", "0.4"), ("--fmr", "0.01"), ("--against-threshold", "1", "--fmr", "0.1")):
        check_threshold(words)
    with pytest.raises(ConfigError, match="--threshold is a score, and --fmr would set another threshold; give one"):
        check_threshold(BOTH)


def test_the_programs_with_both_refuse_them():
    for main in (lambda: final_eval.main(("--model", "x", *BOTH)),
                 lambda: find_shared_identities.main(("a.npz", "b.npz", *BOTH))):  # fmt: skip
        with pytest.raises(ConfigError, match="give one of the two"):
            main()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--seed", "-2"), "--seed -2: write 0 or more"),
        (("--bootstrap", "-1"), "--bootstrap -1 --level 0.95: write 0 or more"),
        (("--level", "1"), "--bootstrap 1000 --level 1.0: .* between 0 and 1"),
    ],
)
def test_what_makes_no_interval_is_told_before_a_file_is_read(words, message):
    with pytest.raises(ConfigError, match=message):
        compare_runs.main(("none.csv", "nothing.csv", *words))
    check_intervals(Namespace(bootstrap=0, level=0.5, seed=0))


def test_what_is_no_run_is_named_as_it_was_typed():
    assert (checkpoint_of("dlib"), model_line("dlib")) == ({"checkpoint": "dlib"}, ["model: dlib"])
    assert (checkpoint_of(""), model_line("")) == ({}, [])


def stored(folder, name, meta):
    """A file of embeddings as test/embed.py leaves it, with ``meta``."""
    rows = np.ones((2, 3), np.float32)
    save_embeddings(folder / name, Embeddings(rows, ("ada/1.jpg", "grace/1.jpg"), meta))
    return str(folder / name)


def test_stored_embeddings_tell_the_step_that_made_them(tmp_path):
    best = stored(tmp_path, "best.npz", {"model": "models/demo", "checkpoint": "demo@61 (best)"})
    last = stored(tmp_path, "last.npz", {"model": "models/demo", "checkpoint": "demo@244 (last)"})
    older = stored(tmp_path, "older.npz", {"model": "r50,3"})
    silent = stored(tmp_path, "silent.npz", {})
    assert (checkpoint_of("", best, ""), model_line("", best, "")) == (
        {"checkpoint": "demo@61 (best)"}, ["model: demo@61 (best)"])  # fmt: skip
    assert model_line("", older) == ["model: r50,3"]
    assert (checkpoint_of("", silent), model_line("", silent)) == ({}, [])
    assert checkpoint_of("", best, last) == {}
    assert model_line("", best, last, silent) == [
        f"model of {best}: demo@61 (best)", f"model of {last}: demo@244 (last)", f"model of {silent}: not told",
    ]  # fmt: skip
    assert model_line("", best, str(tmp_path)) == ["model: demo@61 (best)"]  # a folder of images beside it
    assert checkpoint_of("dlib", best) == {"checkpoint": "dlib"}


def test_other_files_tell_no_step_and_no_error(tmp_path):
    (tmp_path / "text.npz").write_text("not a zip")
    np.savez(tmp_path / "plain.npz", embeddings=np.ones((1, 2)))
    np.savez(tmp_path / "list.npz", meta=json.dumps(["checkpoint"]))
    np.save(tmp_path / "rows.npy", np.ones((1, 2)))
    for name in ("text.npz", "plain.npz", "list.npz", "rows.npy", "missing.npz"):
        assert model_line("", str(tmp_path / name)) == []


def test_programs_name_the_step_of_stored_embeddings(tmp_path, capsys):
    rng = np.random.default_rng(0)
    people = np.repeat(rng.normal(size=(6, 8)), 2, axis=0)
    rows = np.float32(people + 0.3 * rng.normal(size=people.shape))
    names = tuple(f"p{i // 2}/{i % 2}.jpg" for i in range(12))
    path = tmp_path / "x.npz"
    save_embeddings(path, Embeddings(rows, names, {"checkpoint": "demo@61 (best)"}, attributes=np.int8(
        [[i // 2 % 2] for i in range(12)]), attribute_names=("sex",)))  # fmt: skip
    every = ["--embeddings", str(path), "--all-pairs", "--subjects-from", "names", "--quiet"]
    for main, more in ((verification.main, []), (fairness.main, ["--protected", "sex", "--fmr", "0.1"])):
        main([*every, *more])
        assert capsys.readouterr().out.splitlines()[-1] == "model: demo@61 (best)"
        main([*every, *more, "--json"])
        assert json.loads(capsys.readouterr().out)["checkpoint"] == "demo@61 (best)"


def test_embeddings_of_two_models_beside_each_other_are_remarked_on(tmp_path):
    one = stored(tmp_path, "one.npz", {"checkpoint": "demo@61 (best)"})
    two = stored(tmp_path, "two.npz", {"checkpoint": "demo@244 (last)"})
    silent = stored(tmp_path, "silent.npz", {})
    assert of_several_models([one, one, silent, ""]) == ()
    (said,) = of_several_models([one, two])
    assert said.startswith(f"embeddings of different models are compared ({one} with demo@61 (best), {two} with demo@")
