"""OpenCV's decoder, with what its JPEG and PNG libraries remark on damaged data.

They print a remark such as ``Corrupt JPEG data: premature end of data segment`` on C's ``stderr``, without the file's
name, and give pixels all the same. Here the remark goes to whoever decodes, who knows the name.
"""

from __future__ import annotations

import ctypes
import os
import threading

import cv2
import numpy as np
from numpy.typing import NDArray

_UNBUFFERED = 2  # _IONBF of stdio.h
_DAMAGE = ("Corrupt JPEG data", "Premature end of JPEG file", "libpng error")  # jerror.h of libjpeg, png_error
_SILENT = 0  # cv2.utils.logging.LOG_LEVEL_SILENT
_SIZE = ctypes.c_size_t
_WRITE = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, _SIZE)


class _Functions(ctypes.Structure):
    """``cookie_io_functions_t`` of glibc's stdio.h: a stream that calls functions."""

    _fields_ = (("read", ctypes.c_void_p), ("write", _WRITE), ("seek", ctypes.c_void_p), ("close", ctypes.c_void_p))


class RemarkingDecoder:
    """Decodes images in any number of threads; each gets the remarks on its own image.

    While an image is being decoded, C's ``stderr`` is a stream of ours. The libraries write in the thread that decodes,
    and a remark is kept for that thread. File descriptor 2, and with it all that Python prints, is left alone.

    Where C has no such streams (they are glibc's), images are decoded all the same, and remarks stay where they go.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decoding = 0
        self._thread = threading.local()
        self._stderr: ctypes.c_void_p | None = None
        libc = _glibc()
        if libc is not None:
            self._open(libc)
        if "OPENCV_LOG_LEVEL" not in os.environ:
            cv2.setLogLevel(_SILENT)  # errors are raised or returned all the same, and told with the file's name

    def _open(self, libc: ctypes.CDLL) -> None:
        libc.fopencookie.restype = ctypes.c_void_p
        libc.fopencookie.argtypes = (ctypes.c_void_p, ctypes.c_char_p, _Functions)
        libc.setvbuf.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, _SIZE)
        self._write = _WRITE(self._take)  # kept: C holds no reference to it
        self._stream = libc.fopencookie(None, b"w", _Functions(None, self._write, None, None))
        libc.setvbuf(self._stream, None, _UNBUFFERED, 0)
        self._stderr = ctypes.c_void_p.in_dll(libc, "stderr")
        self._own = self._stderr.value

    def decode(self, data: bytes, flags: int) -> tuple[NDArray[np.uint8] | None, str]:
        """The image as :func:`cv2.imdecode` gives it (``None`` where it cannot), and the remark on damaged data ("":
        none). Remarks on what changes no pixel, such as an unusual colour profile, are left out."""
        pixels, stderr = np.frombuffer(data, np.uint8), self._stderr
        if stderr is None:
            return cv2.imdecode(pixels, flags), ""  # type: ignore[return-value]
        self._thread.said = b""
        with self._lock:
            self._decoding += 1
            stderr.value = self._stream
        try:
            image = cv2.imdecode(pixels, flags)
        finally:
            with self._lock:
                self._decoding -= 1
                if not self._decoding:
                    stderr.value = self._own
        said: bytes = self._thread.said
        return image, _of_damage(said.decode("utf-8", "replace")) if said else ""  # type: ignore[return-value]

    def _take(self, cookie: int, text: int, size: int) -> int:
        """Called by C with ``size`` bytes at ``text``; in a thread that decodes nothing they are dropped."""
        self._thread.said = getattr(self._thread, "said", b"") + ctypes.string_at(text, size)
        return size


def _glibc() -> ctypes.CDLL | None:
    """C's library where a stream of functions can take the place of its ``stderr``; ``None`` elsewhere."""
    try:
        libc = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return None
    return libc if hasattr(libc, "fopencookie") and hasattr(libc, "stderr") else None


def _of_damage(said: str) -> str:
    """The lines that speak of damage, in one."""
    return " ".join(line.strip() for line in said.splitlines() if line.startswith(_DAMAGE))


# One for the process, as there is one stderr.
DECODER = RemarkingDecoder()
