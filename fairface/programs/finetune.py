"""Finetune a trained model in steps: the classifier, all layers, the most discriminated group.

python train/finetune.py train/configs/orl_fair.yaml 1
python train/finetune.py train/configs/orl_fair.yaml all step2.optimizer.lr=0.001 fairness.error=fnmr
python train/finetune.py train/configs/fairface_r100.yaml 3 fairness.group=gender=f,skin_colour=dark gpus=0,1
"""

from __future__ import annotations

from collections.abc import Sequence

from fairface.cli import parser, tell
from fairface.config.load import dump
from fairface.config.staged import load_staged


def main(argv: Sequence[str]) -> int:
    """Parse and run the steps; returns the exit code."""
    arguments = parser(__doc__.split("\n")[0] if __doc__ else "")
    arguments.add_argument("config", help="YAML file with steps, see train/configs/orl_fair.yaml")
    arguments.add_argument("steps", help="1, 2, … or all")
    arguments.add_argument("overrides", nargs="*", metavar="key=value", help="a key for all steps; step2.key for one")
    arguments.add_argument("--start-from", default="", metavar="MODEL", help="instead of the step before")
    arguments.add_argument("--resume", action="store_true", help="go on with what was stopped; finished steps stay")
    arguments.add_argument("--overwrite", action="store_true", help="replace runs of the same names")
    arguments.add_argument("--dry-run", action="store_true", help="print each step's configuration; stop")
    options = arguments.parse_intermixed_args(argv)
    if options.resume and options.overwrite:
        arguments.error("--resume goes on with a run and --overwrite replaces it: give one of them")
    if options.steps not in ("1", "all") and any(word.startswith("start_from=") for word in options.overrides):
        arguments.error("start_from= is what step 1 starts from; give this step another start with --start-from MODEL")
    staged = load_staged(options.config, options.overrides)
    # MXNet is imported only now, so that a wrong option or configuration is answered at once.
    from fairface.training.finetuning.staged import chosen, finetune

    if options.dry_run:
        for number in chosen(staged, options.steps):
            print(f"# step {number}\n{dump(staged.steps[number - 1])}")
        tell([f"fairness: {staged.fairness}"])
        return 0
    return finetune(staged, options.steps, options.resume, options.overwrite, options.start_from)

