"""A published model through this project's programs: aligned, embedded, scored and taken over on LFW.

python experiments/real_model.py --data LFW --model model,0 --out WORK/real_model --pairs pairs.txt \
    --page docs/experiments/real_model.md

``LFW`` is the folder that prepare_lfw.py takes. All its photographs are aligned and embedded; all pairs of the test
people are scored, then the official 6,000 pairs where ``pairs.txt`` (http://vis-www.cs.umass.edu/lfw) is given. At last
the model is taken over by a run with ``start_from``, and its embeddings are compared with those before. What is there
already is not made again.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prepare_lfw import QUALITY, SPLITS, sexes_of
from real_model_page import page
from result_output import add_output_options, show

from fairface.checkpoints import resolve
from fairface.cli import parser, run, tell
from fairface.embedding.store import Embeddings, load_embeddings, save_embeddings
from fairface.errors import CheckpointError, FairfaceError
from fairface.faces.folder import align_folder
from fairface.faces.folder_worker import AlignConfig
from fairface.faces.landmarks import read_landmarks
from fairface.files import atomic_write, write_json
from fairface.hardware import usable_cores

ROOT = Path(__file__).resolve().parents[1]
FMR = "0.001"


def align(data: Path, aligned: Path) -> None:
    """Every photograph of LFW in one folder: by its given landmarks, else as align.py does with --rescue."""
    if aligned.is_dir():
        return
    tell(["aligning"])
    part = aligned.with_name("aligned.part")
    with TemporaryDirectory(prefix="fairface-lfw-") as folder:
        for split in SPLITS:
            with tarfile.open(data / f"{split}.tar") as tar:
                tar.extractall(folder, filter="data")
        landmarks = read_landmarks(data / "landmarks.csv")
        report = align_folder(folder, part, AlignConfig(quality=QUALITY), landmarks=landmarks, jobs=usable_cores())
        if report.no_face:
            tell(f"{name} has no landmarks: its face is looked for" for name in report.no_face)
            with TemporaryDirectory(prefix="fairface-lfw-") as found:
                align_folder(folder, found, AlignConfig(quality=QUALITY, rescue=True), names=report.no_face)
                for name in report.no_face:
                    (part / name).parent.mkdir(exist_ok=True)
                    shutil.copyfile(Path(found) / name, part / name)
    part.rename(aligned)


def call(*words: str) -> str:
    """Standard output of one of the project's programs.

    Raises:
        FairfaceError: it fails; its last line is given.
    """
    tell([" ".join(words)])
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise FairfaceError(f"{words[0]}: ended with code {done.returncode} ({lines[-1] if lines else 'killed'})")
    return done.stdout


def write_test_people(data: Path, out: Path) -> None:
    """``test.npz``, the embeddings of the test people's photographs, and ``test.csv`` with who is of which sex."""
    sexes = sexes_of(data / "identities.csv")
    with (data / "identities.csv").open(newline="", encoding="utf-8") as file:
        people = {row["identity"] for row in csv.DictReader(file) if row["split"] == "test"}
    found = load_embeddings(out / "embeddings.npz")
    rows = [index for index, name in enumerate(found.names) if name.split("/")[0] in people]
    names = tuple(found.names[row] for row in rows)
    save_embeddings(out / "test.npz", Embeddings(found.embeddings[rows], names, found.meta))
    with atomic_write(out / "test.csv", "w", encoding="utf-8") as file:
        file.write("image,sex\n" + "".join(f"{name},{sexes[name.split('/')[0]]}\n" for name in names))


def score(out: Path, pairs: Path | None) -> dict[str, Any]:
    """What the programs say of all pairs of the test people, by sex too, and of the official pairs."""
    test = ("--embeddings", str(out / "test.npz"), "--all-pairs", "--subjects-from", "names", "--fmr", FMR, "--json")
    by_sex = ("--attributes", str(out / "test.csv"), "--protected", "sex")
    result = {
        "verification": _only(call("test/verification.py", *test, "--bootstrap", "200")),
        "fairness": json.loads(call("test/fairness.py", *test, *by_sex)),
    }
    if pairs:
        given = ("--embeddings", str(out / "embeddings.npz"), "--pairs", str(pairs), "--fmr", FMR, "--json")
        result["official"] = _only(call("test/verification.py", *given))
    return result


def _only(text: str) -> dict[str, Any]:
    (result,) = json.loads(text)["results"].values()
    return dict(result)


def take_over(model: str, out: Path) -> dict[str, Any]:
    """Start a run from the model, whose backbone stays as it is: the backbone's keys, and how far embeddings moved.

    Raises:
        CheckpointError: no backbone of ours has the model's layers.
    """
    from fairface.interop.check import check_same
    from fairface.interop.fitting import fitting_backbone

    keys = fitting_backbone(resolve(model))
    if not keys:
        raise CheckpointError(f"{model}: fits no backbone of this project; its scores are in {out}")
    words = [*keys.split(), f"data.path={out / 'aligned'}", f"output={out / 'models'}", "name=imported", "stage=head"]
    call("train/train.py", "experiments/configs/lfw_base.yaml", *words, "steps=1", f"start_from={model}", "--overwrite")
    return {"backbone": keys, "difference": check_same(model, str(out / "models" / "imported"))}


def main(argv: Sequence[str]) -> None:
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="LFW's tar files and lists")
    options.add_argument("--model", required=True, metavar="PREFIX,EPOCH", help="an MXNet model")
    options.add_argument("--out", type=Path, required=True, metavar="DIR", help="results; photographs go below it")
    options.add_argument("--pairs", type=Path, metavar="pairs.txt", help="LFW's official list")
    add_output_options(options)
    args = options.parse_args(argv)
    prefix, comma, epoch = args.model.rpartition(",")
    model, out = f"{Path(prefix).resolve()}{comma}{epoch}", args.out.resolve()
    resolve(model)
    align(args.data, out / "aligned")
    if not (out / "embeddings.npz").is_file():
        call("test/embed.py", model, "--data", str(out / "aligned"), "--output", str(out / "embeddings.npz"))
    write_test_people(args.data, out)
    result = score(out, args.pairs.resolve() if args.pairs else None)
    write_json(out / "real_model.json", {**result, "taken_over": take_over(model, out)})
    result = json.loads((out / "real_model.json").read_text(encoding="utf-8"))
    show(result, page(result), args)


if __name__ == "__main__":
    run(main)
