"""benchmarks/formats.py on a handful of images."""


def test_every_format_is_read_and_packed(result_of):
    result = result_of("formats")
    assert set(result["reading"]) == {
        "rec", "tfrecord", "tfrecord, no checksums", "folder", "list", "bin", "memory files",
    }  # fmt: skip
    assert set(result["packing"]) == {"bare decode + encode", "face2rec2", "img2tfrecord"}
    for part, against in (("reading", "rec"), ("packing", "bare decode + encode")):
        for name, figures in result[part].items():
            assert 0 < figures["min"] <= figures["median"] <= figures["max"]
            assert f"{name} / {against}" in result["ratios"]
    assert result["ratios"]["rec / rec"] == 1
