"""Where LFW and CFP lie: VirFace's folders of them, and others as people have them."""

from __future__ import annotations

from pathlib import Path

from fairface.errors import DataError

LFW = ("lfw_pairs.txt", "pairs.txt", "lfw.bin")
CFP = {
    "CFP-FF": ("myMeta/FF_meta.txt", "FF_meta.txt", "cfp_ff.bin"),
    "CFP-FP": ("myMeta/FP_meta.txt", "FP_meta.txt", "cfp_fp.bin"),
}


def evaluation_sets(lfw_path: str, cfp_path: str) -> list[str]:
    """The verification sets in the two folders, LFW first; an empty path means no such set. A path may also be that of
    a set itself, such as ``lfw.bin``.

    Raises:
        DataError: a path that does not exist, or a folder without such a set.
    """
    sets = _lfw(Path(lfw_path)) if lfw_path else []
    return [*sets, *(_cfp(Path(cfp_path)) if cfp_path else [])]


def _lfw(path: Path) -> list[str]:
    found = _first(path, LFW)
    if not found:
        raise DataError(f"{path}: has none of {', '.join(LFW)}; give --lfw_path the folder of LFW's pairs, or a list")
    return found


def _cfp(path: Path) -> list[str]:
    if path.is_file():
        return [str(path)]
    found = [place for names in CFP.values() for place in _first(path, names)]
    if not found:
        wanted = ", ".join(name for names in CFP.values() for name in names)
        raise DataError(f"{path}: has none of {wanted}; give --cfp_path the folder of CFP's lists, or a list")
    return found


def _first(path: Path, names: tuple[str, ...]) -> list[str]:
    if path.is_file():
        return [str(path)]
    return [str(path / name) for name in names if (path / name).is_file()][:1]
