"""The published weights of dlib's network: who trained them, on what, and under which licence."""

from __future__ import annotations

from fairface import dlib_weights
from fairface.checkpoints import CheckpointFiles
from fairface.files import sha256

ORIGIN = (
    f"dlib's face recognition network, trained by Davis King (2017), not by this project: {dlib_weights.FILE} of the "
    f"package {dlib_weights.PACKAGE}"
)
# As its author says (https://github.com/davisking/dlib-models).
DATA = {
    "data sets": "about half from VGGFace and FaceScrub, the rest from the web; without identities of LFW",
    "identities": "7485",
    "images": "about 3 million",
}
LICENCE = f"""\
{ORIGIN}.
SHA-256 sum of that file: {dlib_weights.FILE_SHA256}

Its author released the weights into the public domain (https://github.com/davisking/dlib-models). The package states
CC0 1.0 Universal: https://creativecommons.org/publicdomain/zero/1.0/
"""


def is_published(files: CheckpointFiles) -> bool:
    """Whether a checkpoint is those weights, byte for byte."""
    return files.is_dlib and sha256(files.params) == dlib_weights.FILE_SHA256
