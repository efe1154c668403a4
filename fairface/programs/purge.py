"""List the embeddings and landmarks that lie below the output folders; with --remove remove them.

Examples:
    python data_process/purge.py                        (lists only)
    python data_process/purge.py --remove
    python data_process/purge.py aligned aligned_test --remove
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict

from fairface.console import Console
from fairface.embedding.personal_files import Found, find_personal, remove_personal
from fairface.errors import DataError
from fairface.programs.catalog import options_of
from fairface.quantity import quantity

OUTPUT_FOLDERS = ("results", "models", "datasets", "train/datasets", "test/TestData")


def main(argv: Sequence[str], prog: str = "") -> None:
    options = options_of("purge", prog)
    options.add_argument("folders", nargs="*", metavar="FOLDER", help=f"default: {', '.join(OUTPUT_FOLDERS)}")
    options.add_argument("--remove", action="store_true", help="remove the files instead of listing them only")
    args = options.parse_args(argv)
    missing = [folder for folder in args.folders if not os.path.lexists(folder)]
    if missing:
        raise DataError(f"{missing[0]}: no such file or folder, so nothing was looked for; correct its path")
    found = find_personal(args.folders or list(OUTPUT_FOLDERS))
    if args.remove:
        remove_personal(found)
    files = [asdict(file) for file in found.files]
    Console.of(args).show(
        {"files": files, "removed": args.remove, "links_not_followed": list(found.links)}, text_of(found, args.remove)
    )


def text_of(found: Found, removed: bool) -> str:
    """A line for each file and link, and what was done."""
    lines = [f"{file.path}: {file.kind}, {quantity(file.size, 'byte', form=',')}" for file in found.files]
    lines += [f"{path}: a link, not followed" for path in found.links]
    total = (
        f"{quantity(len(found.files), 'file')} with embeddings or landmarks, "
        f"{quantity(sum(file.size for file in found.files), 'byte', form=',')}"
    )
    if removed:
        return "\n".join([*lines, f"removed {total}"])
    return "\n".join([*lines, f"{total}; nothing is removed without --remove"])
