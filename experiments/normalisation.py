"""Fairness without retraining: what normalised scores of a published model change on LFW, by sex.

python experiments/normalisation.py --data LFW --embeddings WORK/real_model/embeddings.npz --out WORK/normalisation \
    --page docs/experiments/normalisation.md

``LFW`` is the folder that prepare_lfw.py takes, the embeddings are those of real_model.py. Every method of
test/normalise.py is fitted on all pairs of the validation people, thresholds too, and judged on all pairs of the test
people. One JSON file for each arm; arms that are done are skipped. The figures of the finetuning steps beside them are
read from docs/experiments/fairness_model.md.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from normalisation_page import finetuned, page
from prepare_lfw import SEXES, sexes_of
from result_output import add_output_options, show

from fairface.cli import parser, progress, run
from fairface.embedding.store import ATTRIBUTE_VALUES, Embeddings, load_embeddings, save_embeddings
from fairface.evaluation.normalisation_input import People, open_people
from fairface.evaluation.normalised import fit_on, judge
from fairface.evaluation.scored_pairs import PairSource, ScoreSource
from fairface.files import write_json
from fairface.scoring.fairness.options import FairnessOptions
from fairface.scoring.normalisation.normaliser import METHODS

ROOT = Path(__file__).resolve().parents[1]
TARGETS = (0.01, 0.001)
CLUSTERS = 10
ROUNDS = 1000


@dataclass(frozen=True)
class Arm:
    """A method by sex, or by clusters, at one FMR."""

    method: str
    clusters: int
    fmr: float

    @property
    def name(self) -> str:
        return f"{self.method}_{'clusters' if self.clusters else 'sex'}_{self.fmr:g}"


ARMS = tuple(Arm(method, clusters, fmr) for fmr in TARGETS for clusters in (0, CLUSTERS) for method in METHODS)


def split_people(data: Path, embeddings: Path, split: str, out: Path) -> People:
    """All pairs of the people of one split, with their sex."""
    sexes = sexes_of(data / "identities.csv")
    with (data / "identities.csv").open(newline="", encoding="utf-8") as file:
        people = {row["identity"] for row in csv.DictReader(file) if row["split"] == split}
    found = load_embeddings(embeddings)
    rows = [index for index, name in enumerate(found.names) if name.split("/")[0] in people]
    names = tuple(found.names[row] for row in rows)
    codes = np.array([[SEXES.index(sexes[name.split("/")[0]])] for name in names], np.int8)
    meta = {**found.meta, ATTRIBUTE_VALUES: {"sex": SEXES}}
    path = out / f"{split}.npz"
    save_embeddings(path, Embeddings(found.embeddings[rows], names, meta, attributes=codes, attribute_names=("sex",)))
    return open_people(PairSource(subjects_from="names", wanted=["sex"]), ScoreSource(embeddings=str(path)))


def make(arm: Arm, people: Mapping[str, People], out: Path) -> dict[str, Any]:
    """Fit and judge one arm, or read what it gave before."""
    path = out / f"{arm.name}.json"
    if not path.is_file():
        saved = fit_on(people["validation"], arm.method, ["sex"], arm.fmr, arm.clusters)
        found = judge(saved, people["test"], ["sex"], FairnessOptions(rounds=ROUNDS))
        write_json(path, {"method": arm.method, "clusters": arm.clusters, "fmr": arm.fmr, **found.to_dict()})
    return dict(json.loads(path.read_text(encoding="utf-8")))


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="LFW's tar files and lists")
    options.add_argument("--embeddings", type=Path, required=True, metavar="FILE.npz", help="of all photographs")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="results")
    add_output_options(options)
    args = options.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    people = {split: split_people(args.data, args.embeddings, split, args.out) for split in ("validation", "test")}
    arms = [make(arm, people, args.out) for arm in progress(ARMS, label="arms", unit="arm")]
    beside = finetuned((ROOT / "docs" / "experiments" / "fairness_model.md").read_text(encoding="utf-8"))
    result = {"arms": arms, "finetuned": beside}
    show(result, page(result), args)


if __name__ == "__main__":
    run(main)
