"""TensorFlow's ``Example`` with one image in it, without TensorFlow.

The message is protobuf: Example{1: Features{1: map entry{1: key, 2: Feature{1: BytesList{1: value}}}}}. TFace's files
hold one feature, ``image``, whose only value is an image file.
"""

from __future__ import annotations

import re

from fairface.data.protobuf import BYTES, MORE, parts, read_varint

KEY = b"image"
_LENGTH = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
# What stands before the image when there is nothing else in the Example; matched since taking it apart is slow.
_USUAL = re.compile(
    rb"\x0a%b\x0a%b\x0a\x05image\x12%b\x0a(%b)\x0a(%b)" % (_LENGTH, _LENGTH, _LENGTH, _LENGTH, _LENGTH), re.DOTALL
)


def encode_example(image: bytes) -> bytes:
    """An Example whose feature ``image`` is this image file, byte for byte as TensorFlow writes it."""
    feature = _field(1, _field(1, image))
    return _field(1, _field(1, _field(1, KEY) + _field(2, feature)))


def decode_example(example: bytes) -> bytes:
    """The image file in an Example.

    Raises:
        ValueError: the bytes are no Example, or it has no feature ``image`` with a value; says which it has.
    """
    usual = _USUAL.match(example)
    if usual is not None:
        listed, size = (read_varint(usual.group(number), 0)[0] for number in (1, 2))
        # Without the second, an empty list before another feature would pass for the image.
        if size == len(example) - usual.end() and listed == len(example) - usual.end(1):
            return example[usual.end() :]
    seen = []
    try:
        for start, end in parts(example, 0, len(example), 1):
            for first, last in parts(example, start, end, 1):
                keys = list(parts(example, first, last, 1))
                key = example[slice(*keys[-1])] if keys else b""
                if key != KEY:
                    seen.append(key)
                    continue
                for lists in parts(example, first, last, 2):
                    for items in parts(example, *lists, 1):
                        for item in parts(example, *items, 1):
                            return example[slice(*item)]
    except (IndexError, ValueError) as error:
        raise ValueError(f"is no TensorFlow Example ({error})") from error
    other = ", ".join(repr(key.decode("utf-8", "replace")) for key in seen[:5]) or "none"
    raise ValueError(f"is an Example without the feature 'image' (its features: {other})")


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | BYTES]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= MORE:
        out.append(value & 0x7F | MORE)
        value >>= 7
    out.append(value)
    return bytes(out)
