"""Do the three fairness steps make a recogniser fairer? LFW, protected attribute sex, several seeds.

python experiments/prepare_lfw.py --data LFW --out WORK/lfw
python experiments/fairness.py --lfw WORK/lfw --out WORK/fairness --page docs/experiments/fairness.md

python experiments/fairness.py --lfw WORK/lfw --model model,0 --out WORK/fairness_model \
    --page docs/experiments/fairness_model.md

For each seed a recogniser is trained on the base people (experiments/configs/lfw_base.yaml), then finetuned on the
finetune people (lfw_fair.yaml). ``step 3, all data`` is the control: the same last step, its checkpoint chosen alike,
without the choice of a group. At ``learning rate 0`` only BatchNorm's running statistics can move.
Thresholds are fixed on the validation people, everything is judged on the test people. One JSON file and one file of
scores for each arm; arms that are done are skipped. With ``--model`` a published model (docs/experiments/real_model.md)
goes through the three steps instead, by lfw_fair_tune.yaml, without the controls.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from result_output import add_output_options, show

from fairface.cli import parser, progress, run
from fairface.errors import FairfaceError
from fairface.files import atomic_write, write_json
from fairface.protocols.verification_set import open_verification_set

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "experiments" / "configs"
FMR = 0.01


@dataclass(frozen=True)
class Arm:
    """A model of each seed: its name, what it is for people, and the command that makes it."""

    name: str
    title: str
    program: str
    words: tuple[str, ...]


FAIR = str(CONFIGS / "lfw_fair.yaml")
ARMS = (
    Arm("base", "before", "train.py", (str(CONFIGS / "lfw_base.yaml"), "name=base_{seed}", "data.path={lfw}/base")),
    Arm("fair_step1", "step 1", "finetune.py", (FAIR, "1", "name=fair_{seed}")),
    Arm("fair_step2", "step 2", "finetune.py", (FAIR, "2", "name=fair_{seed}")),
    Arm("fair_step3", "step 3", "finetune.py", (FAIR, "3", "name=fair_{seed}")),
    Arm("all_step3", "step 3, all data", "finetune.py", (
        FAIR, "3", "name=all_{seed}", "step3.worst_group=false", "step3.verify.monitor=fmr_worst",
        "step3.verify.protected=sex", "--start-from", "{models}/fair_{seed}_step2")),
    Arm("still_step3", "step 3, learning rate 0", "finetune.py", (
        FAIR, "3", "name=still_{seed}", "step3.optimizer.lr=0", "--start-from", "{models}/fair_{seed}_step2")),
)  # fmt: skip
SHARED = ("output={models}", "seed={seed}", "verify.sets=[{pairs}]")
FAIR_ONLY = ("data.path={lfw}/finetune", "step1.start_from={start}", "fairness.validation={pairs}")
BASE = ARMS[0]
TUNE = str(CONFIGS / "lfw_fair_tune.yaml")
TUNED = tuple(
    Arm(arm.name, arm.title, arm.program, tuple(TUNE if word == FAIR else word for word in arm.words))
    for arm in ARMS[1:4]
)


def run_name(arm: Arm, seed: int) -> str:
    """The run of an arm and a seed: ``fair_step2`` of seed 1 is ``fair_1_step2``."""
    kind, _, step = arm.name.partition("_")
    return "_".join(filter(None, (kind, str(seed), step)))


def make(arm: Arm, seed: int, lfw: Path, out: Path, model: str = "") -> dict[str, Any]:
    """Train and score one arm, or read what it gave before; ``model`` is what takes the base's place."""
    name = run_name(arm, seed)
    path = out / f"{name}.json"
    if path.is_file():
        result: dict[str, Any] = json.loads(path.read_text())
        return result
    models = out / "models"
    pairs = lfw / "aligned" / "validation" / "validation_pairs.csv"
    words = [*arm.words, *SHARED, *(FAIR_ONLY if arm.program == "finetune.py" else ())]
    start = model or models / run_name(BASE, seed)
    filled = [word.format(seed=seed, lfw=lfw, models=models, pairs=pairs, start=start) for word in words]
    # --resume leaves a run that is there and finished as it is.
    again = "--resume" if (models / name / "manifest.json").is_file() else "--overwrite"
    call([str(ROOT / "train" / arm.program), *filled, again], name)
    result = {"arm": arm.name, "seed": seed, "run": str(models / name)}
    group = models / name / "group.json"
    if group.is_file():
        result["group"] = {key: json.loads(group.read_text())[key] for key in ("where", "messages")}
    keep_scores(str(models / name), lfw, out / f"{name}.npz")
    write_json(path, result)
    return result


def as_it_is(model: str, seeds: Sequence[int], lfw: Path, out: Path) -> list[dict[str, Any]]:
    """Score the published model once; it is the base of every seed."""
    path = out / "model.npz"
    if not path.is_file():
        keep_scores(model, lfw, path)
    return [{"arm": BASE.name, "seed": seed, "run": str(path.with_suffix(""))} for seed in seeds]


def keep_scores(model: str, lfw: Path, path: Path) -> None:
    """Write the model's scores of both splits' pairs."""
    scores: dict[str, Any] = {split: score(model, lfw, split) for split in ("validation", "test")}
    with atomic_write(path) as file:
        np.savez(file, **scores)


def call(words: Sequence[str], name: str) -> None:
    """Run a program of this project.

    Raises:
        FairfaceError: it fails; its last line is given.
    """
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise FairfaceError(f"{name}: ended with code {done.returncode} ({lines[-1] if lines else 'killed'})")


def score(model: str, lfw: Path, split: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(M,) cosines of the split's pairs by ``model``."""
    from fairface.embedding.from_checkpoint import load_embedder
    from fairface.scoring.similarity import cosine_scores

    data = open_verification_set(lfw / "aligned" / split / f"{split}_pairs.csv")
    embeddings = load_embedder(model).embed(data.images)
    return cosine_scores(embeddings, data.comparisons.a, data.comparisons.b)


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--lfw", type=Path, required=True, metavar="DIR", help="what prepare_lfw.py wrote")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="results; runs go below it")
    options.add_argument("--seeds", default="0,1,2", help="comma-separated")
    options.add_argument("--model", default="", metavar="PREFIX,EPOCH", help="start from a published MobileFaceNet")
    add_output_options(options)
    args = options.parse_args(argv)
    lfw, out = args.lfw.resolve(), args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    seeds = [int(seed) for seed in args.seeds.split(",")]
    model, of_seed = str(Path(args.model).resolve()) if args.model else "", TUNED if args.model else ARMS
    arms = as_it_is(model, seeds, lfw, out) if model else []
    arms += [
        make(arm, seed, lfw, out, model)
        for arm, seed in progress([(arm, seed) for seed in seeds for arm in of_seed], label="arms", unit="arm")
    ]
    from fairness_page import page, summarise

    titles = [(arm.name, arm.title) for arm in ((BASE, *TUNED) if model else ARMS)]
    result = summarise(arms, titles, seeds, lfw, out, FMR)
    show(result, page(result), args)


if __name__ == "__main__":
    run(main)
