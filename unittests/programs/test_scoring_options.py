"""What programs that score refuse alike."""

import pytest

from fairface.errors import ConfigError
from fairface.programs import final_eval, find_shared_identities
from fairface.programs.scoring_options import check_threshold, checkpoint_of, model_line

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


def test_what_is_no_run_is_named_as_it_was_typed():
    assert (checkpoint_of("dlib"), model_line("dlib")) == ({"checkpoint": "dlib"}, ["model: dlib"])
    assert (checkpoint_of(""), model_line("")) == ({}, [])
