"""Finetune a trained model in steps: the classifier, all layers, the most discriminated group.

python train/finetune.py train/configs/orl_fair.yaml 1
python train/finetune.py train/configs/orl_fair.yaml all step2.optimizer.lr=0.001 fairness.error=fnmr
python train/finetune.py train/configs/fairface_r100.yaml 3 fairness.group=gender=f,skin_colour=dark gpus=0,1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from fairface.config.load import dump
from fairface.config.staged import StagedConfig, load_staged
from fairface.console import Console
from fairface.programs.catalog import options_of
from fairface.programs.run_options import add_run_options, parse_run


def main(argv: Sequence[str], prog: str = "") -> int:
    """Parse and run the steps; returns the exit code."""
    options = options_of("finetune", prog)
    options.usage = (
        "%(prog)s CONFIG STEPS [key=value ...] [options]; CONFIG is a YAML file with steps such as "
        "train/configs/orl_fair.yaml, STEPS is 1, 2, ... or all, and step2.key=value sets a key of one step"
    )
    add_run_options(options, "each step's configuration")
    options.add_argument("--start-from", default="", metavar="MODEL", help="instead of the step before")
    args = parse_run(options, argv, ["config", "steps"])
    if args.steps is None:
        options.error("name a configuration with steps and what to run: 1, 2, ... or all")
    if args.steps not in ("1", "all") and any(word.startswith("start_from=") for word in args.overrides):
        options.error("start_from= is what step 1 starts from; give this step another start with --start-from MODEL")
    staged = load_staged(args.config, args.overrides)
    console = Console.of(args)
    # MXNet is imported only now, so that a wrong option or configuration is answered at once.
    from fairface.training.finetuning.staged import chosen, finetune

    if args.dry_run:
        show_steps(staged, chosen(staged, args.steps), console)
        return 0
    return finetune(staged, args.steps, args.resume, args.overwrite, args.start_from, console)


def show_steps(staged: StagedConfig, numbers: Sequence[int], console: Console) -> None:
    """The configuration of each step, as YAML or JSON."""
    steps = {number: staged.steps[number - 1] for number in numbers}
    text = "\n".join(f"# step {number}\n{dump(config)}" for number, config in steps.items())
    console.tell([f"fairness: {staged.fairness}"])
    fairness = asdict(staged.fairness)
    console.show({"steps": {number: asdict(config) for number, config in steps.items()}, "fairness": fairness}, text)
