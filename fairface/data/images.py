"""Encoded images in and out: decoding, encoding and the checks that go with them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from fairface.data.damaged import tell_damaged
from fairface.data.decoder import DECODER
from fairface.data.image_kinds import heic_remedy, reads_heic
from fairface.data.image_size import MOST_PIXELS, is_jpeg, jpeg_size, too_many_pixels
from fairface.data.other_formats import other_format_hint
from fairface.data.phone_formats import decode_heic, decode_webp, is_heic, is_webp
from fairface.errors import RESIZE, SKIP_BAD, DataError
from fairface.quantity import agree, quantity


def decode(data: bytes, name: str, size: int | None = None) -> NDArray[np.uint8]:
    """Decode an image file's bytes to uint8 (H, W, 3) RGB; grey images get three equal channels.

    Where the decoder remarks on damaged data and gives pixels all the same, the remark is logged with ``name``.

    Args:
        data: the file (JPEG, PNG, …).
        name: how to name the record in an error.
        size: side in pixels that the image must have; ``None`` takes any.

    Raises:
        DataError: the bytes are no whole image, or its size is another one.
    """
    image = try_decode(data, lambda: name)
    if image is None:
        raise not_decoded(data, name)
    if size is not None:
        check_size(image, name, size)
    return image


def try_decode(data: bytes, name: Callable[[], str]) -> NDArray[np.uint8] | None:
    """As :func:`decode`, with ``None`` instead of an error; ``name`` is asked only where there is a remark."""
    image, remark = decode_remarked(data)
    if image is not None and remark:
        tell_damaged(name(), remark)
    return image


def decode_remarked(data: bytes) -> tuple[NDArray[np.uint8] | None, str]:
    """The image as :func:`decode` gives it, ``None`` where it cannot be decoded; and what the decoder remarks on data
    that are damaged ("": nothing)."""
    if not data or too_many_pixels(data):
        return None, ""
    if is_webp(data):
        return decode_webp(data), ""
    if is_heic(data):
        return decode_heic(data), ""
    return DECODER.decode(data, cv2.IMREAD_COLOR_RGB)


def not_decoded(data: bytes, name: str) -> DataError:
    """What is said of an image file that cannot be decoded."""
    return DataError(f"{name}: {_what_is_wrong(data)}; {_what_to_do(data)}", settings=(SKIP_BAD,))


def check_size(image: NDArray[np.uint8], name: str, size: int) -> None:
    """Raise a DataError unless ``image`` is ``size`` pixels wide and high."""
    height, width = image.shape[:2]
    if (height, width) != (size, size):
        raise DataError(
            f"{name}: the image is {width}x{height} pixels, not {size}x{size}; align it (data_process/align.py "
            f"--size {size})",
            settings=(RESIZE,),
        )


def _what_is_wrong(data: bytes) -> str:
    if not data:
        return "holds no image (0 bytes)"
    if size := too_many_pixels(data):
        return f"an image of {size[1]}x{size[0]} pixels in {quantity(len(data), 'byte')}, more than is decoded"
    if is_jpeg(data):
        return f"a JPEG image that is cut off or damaged ({quantity(len(data), 'byte')})"
    if is_heic(data):
        return (
            f"a HEIC photograph that {'is damaged' if reads_heic() else 'cannot be read here'} "
            f"({quantity(len(data), 'byte')})"
        )
    return (
        f"not an image ({quantity(len(data), 'byte')} that {agree(len(data), 'begins', 'begin')} with "
        f"{data[:4].hex(' ')})"
    )


def _what_to_do(data: bytes) -> str:
    if too_many_pixels(data):
        return f"make it smaller than {MOST_PIXELS // 10**6} megapixels, or remove it"
    return heic_remedy() if is_heic(data) and not reads_heic() else "restore or remove it"


def encode_jpeg(image: NDArray[np.uint8], quality: int = 95) -> bytes:
    """Encode uint8 (H, W, 3) RGB as JPEG; ``quality`` is 1 to 100."""
    return _encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Encode uint8 (H, W, 3) RGB as PNG, without loss."""
    return _encode(".png", image, [])


def _encode(suffix: str, image: NDArray[np.uint8], options: list[int]) -> bytes:
    done, buffer = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise DataError(f"an image of shape {image.shape} cannot be written as {suffix}; it must be uint8 (H, W, 3)")
    return buffer.tobytes()


def resize(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The image at ``size`` x ``size`` pixels: averaged when it shrinks, linear when it grows."""
    if image.shape[:2] == (size, size):
        return image
    smaller = min(image.shape[:2]) > size
    resized = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return resized  # type: ignore[return-value]


def read_bytes(path: str | os.PathLike[str], name: str | None = None) -> bytes:
    """The file's bytes.

    Raises:
        DataError: it cannot be read, or is no file; ``name`` (default: the path) says where it was asked for.
    """
    try:
        # Half the time of Path.read_bytes, which counts where millions of small files are read. A pipe that lies among
        # photographs is not waited for.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
                raise DataError(f"{name or path}: is a pipe or a device, not a file; remove it")
            size = status.st_size
            data = os.read(handle, size)
            while len(data) < size and (more := os.read(handle, size - len(data))):
                data += more
            return data
        finally:
            os.close(handle)
    except OSError as error:
        hint = other_format_hint("", [os.fspath(path)]) if isinstance(error, FileNotFoundError) else ""
        raise DataError(
            f"{name or path}: cannot be read ({error.strerror}); {hint}restore it or correct its path"
        ) from error


def keep_or_convert(data: bytes, name: str, size: int, quality: int = 95, may_resize: bool = False) -> bytes:
    """As :func:`to_stored_jpeg`, but a JPEG whose header tells the right size is taken without being decoded: for
    images that come from packed data."""
    if jpeg_size(data) == (size, size):
        return data
    return to_stored_jpeg(data, name, size, quality, may_resize)


def to_stored_jpeg(data: bytes, name: str, size: int, quality: int = 95, may_resize: bool = False) -> bytes:
    """The photograph as the JPEG bytes that go into a record.

    A JPEG of the right size is kept byte for byte, since every new compression loses detail; anything else is decoded,
    resized where that is allowed, and encoded with ``quality``.

    Raises:
        DataError: the bytes are no image, or its size differs and ``may_resize`` is false.
    """
    image = decode(data, name)
    if image.shape[:2] == (size, size) and is_jpeg(data):
        return data
    if may_resize:
        image = resize(image, size)
    elif image.shape[:2] != (size, size):
        height, width = image.shape[:2]
        raise DataError(
            f"{name}: {width}x{height} pixels, not {size}x{size}; align the photographs first "
            f"(data_process/align.py), or name their --size",
            settings=(RESIZE,),
        )
    return encode_jpeg(image, quality)
