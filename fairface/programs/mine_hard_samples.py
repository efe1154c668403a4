"""List the hard samples of a trained classifier: the records it gets wrong, and all records of their identities.

python train/mine_hard_samples.py --model orl_fair_step3 --output models/hard.txt
python train/train.py train/configs/ms1m_r100.yaml data.path=/data/faces data.only=models/hard.txt start_from=ms1m_r100
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fairface.config.schema import DataConfig
from fairface.console import Console
from fairface.programs.catalog import options_of
from fairface.programs.model_argument import add_model, parse
from fairface.quantity import quantity


def main(argv: Sequence[str], prog: str = "") -> None:
    arguments = options_of("hard-samples", prog)
    add_model(arguments, "run or run@step that was trained with a head")
    arguments.add_argument("--data", default="", metavar="PATH_OR_CARD", help="labeled data; default: all training "
                           "data of the run")  # fmt: skip
    arguments.add_argument("--root", default="", metavar="DIR", help="folder of --data: as data.root in training")
    arguments.add_argument("--output", type=Path, default=Path("hard_samples.txt"), metavar="FILE.txt",
                           help="positions of records, one per line, for data.only")  # fmt: skip
    arguments.add_argument("--models", default="models", metavar="DIR", help="folder that holds runs")
    arguments.add_argument("--devices", default="", help="such as cpu0 or gpu0,gpu1; default: GPU 0, else CPU 0")
    arguments.add_argument("--batch-size", type=int, default=64, help="images per step, over all devices")
    options = parse(arguments, argv)
    console = Console.of(options)
    from fairface.training.finetuning.hard_samples import mine, write_list

    data = DataConfig(path=options.data, root=options.root) if options.data else None
    found = mine(
        options.model, data, options.models, options.devices, batch_size=options.batch_size,
        show_progress=not console.quiet,
    )  # fmt: skip
    write_list(options.output, found)
    console.show(
        {
            "model": options.model, "output": str(options.output), "accuracy": found.accuracy,
            "labeled": found.labeled, "hard": len(found.hard), "identities": found.identities,
            "records": len(found.indices), "unreadable": dict(found.unreadable),
        },
        f"{found.message()}\n{options.output}: {quantity(len(found.indices), 'record')}",
    )  # fmt: skip
