"""Names of numpy types in a .bin set that are no text, or nothing at all."""

import pytest

from fairface.data.pairsets.bin_set import read_bin
from fairface.errors import DataError


@pytest.mark.parametrize(
    "name", [b"K\x05", b"N", b"]", b"G" + bytes(8), b"\x88"], ids=["5", "None", "[]", "0.0", "True"]
)
def test_a_type_whose_name_is_no_text_is_refused(tmp_path, name):
    (tmp_path / "set.bin").write_bytes(b"\x80\x02cnumpy\ndtype\n" + name + b"\x85R.")
    with pytest.raises(DataError, match=r"set\.bin: refused, .*a name is no text"):
        read_bin(tmp_path / "set.bin")
