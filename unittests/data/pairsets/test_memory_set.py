"""fairface.data.pairsets.memory_set, memory_packing, extraction.unpack_identities and the program convert.py."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from fairface.data.folder import FolderDataset
from fairface.data.images import decode, encode_jpeg, encode_png
from fairface.data.inspection.extraction import suffix_of, unpack_identities
from fairface.data.opening import open_dataset, verification_sets
from fairface.data.packing.memory import make_memory_set
from fairface.data.pairsets.bin_set import read_bin, write_bin
from fairface.data.pairsets.memory_set import read_memory_set
from fairface.data.recordio.dataset import RecordDataset
from fairface.errors import DataError
from fairface.protocols.verification_set import open_verification_set
from unittests.data.builders import bin_file, images, rec

VECTORS = np.load(Path(__file__).parents[2] / "vectors" / "data_bin.npz")
DATA, CONF = "lfw/memfile/mem_file.dat", "lfw/memfile/mem_file.dat.conf"


@pytest.fixture
def lfw(tmp_path):
    (tmp_path / "lfw.bin").write_bytes(bytes(VECTORS["bin"]))
    return tmp_path / "lfw.bin"


def test_vectors(lfw):
    assert make_memory_set(lfw)
    found = read_memory_set(lfw.with_suffix(""))
    assert found.same.tolist() == VECTORS["issame"].astype(bool).tolist()
    assert found.images.shape == (6, 112, 112, 3)
    assert isinstance(found.images, np.memmap)
    expected = VECTORS["data_nchw_rgb"].transpose(0, 2, 3, 1)
    assert np.abs(found.images.astype(int) - expected).max() <= 2
    conf = json.loads((lfw.parent / CONF).read_text())
    assert (conf["shape"], conf["dtype"]) == ([6, 112, 112, 3], "uint8")
    assert (lfw.parent / DATA).stat().st_size == 6 * 112 * 112 * 3
    assert np.load(lfw.parent / "lfw_list.npy").dtype == bool


def test_swapped_colours(lfw):
    make_memory_set(lfw)
    straight = np.array(read_memory_set(lfw.with_suffix("")).images)
    assert make_memory_set(lfw, swap=True)
    assert np.array_equal(read_memory_set(lfw.with_suffix("")).images[..., ::-1], straight)


def test_made_once_and_again_when_something_changed(lfw):
    def made() -> bool:
        return make_memory_set(lfw)

    assert made()
    assert not made()
    for damage in (
        (lfw.parent / CONF).unlink,
        lambda: (lfw.parent / DATA).write_bytes(b"half"),
        lambda: os.truncate(lfw.parent / DATA, 100),
        (lfw.parent / DATA).unlink,
        (lfw.parent / "lfw_list.npy").unlink,
        lambda: (lfw.parent / CONF).write_text('{"shape": [6, 112, 112'),
        lambda: flip(lfw.parent / DATA, 1000),
        lambda: flip(lfw.parent / "lfw_list.npy", -1),
        lambda: write_bin(lfw, read_bin(lfw).images[:4], [True, False]),
    ):
        damage()
        assert made()
        assert not made()
    assert len(read_memory_set(lfw.with_suffix(""))) == 2
    assert not list(lfw.parent.rglob("*.part"))


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        (CONF, None, r"mem_file\.dat\.conf: is missing, so the set was not finished; make it again with"),
        (CONF, b"{", r"mem_file\.dat\.conf: cannot be read as JSON"),
        (CONF, b"[]", "does not describe memory files"),
        (CONF, b'{"shape": [6, 112, 112, 3], "dtype": "uint8"}', "does not describe memory files"),
        (CONF, b'{"shape": [0, 3, 112, 112], "dtype": "float32"}', "does not describe memory files"),
        (CONF, b'{"shape": [6, 3, 112, 112], "dtype": "float32"}', "has 225792 bytes, not the 903168 of an array"),
        (DATA, b"", "has 0 bytes, not the 225792 of an array"),
        (DATA, None, "has 0 bytes"),
        ("lfw_list.npy", None, r"lfw_list\.npy: cannot be read"),
        ("lfw_list.npy", b"\x93NUMPY", "cannot be read as a list"),
    ],
)
def test_not_whole(lfw, name, damage, said):
    make_memory_set(lfw)
    path = lfw.parent / name
    path.unlink() if damage is None else path.write_bytes(damage)
    for open_it in (read_memory_set, open_dataset, open_verification_set):
        with pytest.raises(DataError, match=said):
            open_it(lfw.with_suffix(""))


def test_changed_pixels_and_pairs(lfw):
    make_memory_set(lfw)
    for name in (DATA, "lfw_list.npy"):
        flip(lfw.parent / name, -1)
        with pytest.raises(DataError, match="has changed since it was written"):
            read_memory_set(lfw.with_suffix(""))
        read_memory_set(lfw.with_suffix(""), check=False)
        flip(lfw.parent / name, -1)
    np.save(lfw.parent / "lfw_list.npy", np.array([2, 0, 1]))
    with pytest.raises(DataError, match="is no list of true and false"):
        read_memory_set(lfw.with_suffix(""))
    np.save(lfw.parent / "lfw_list.npy", np.array([True]))
    with pytest.raises(DataError, match="tells of 1 pair, but there are 6 images"):
        read_memory_set(lfw.with_suffix(""))


def put_adaface(folder: Path, pixels: np.ndarray) -> None:
    """What AdaFace's convert.py and its first training run leave: float32 NCHW BGR from -1 to 1."""
    (folder / "lfw" / "memfile").mkdir(parents=True)
    stored = ((pixels[..., ::-1].transpose(0, 3, 1, 2) / 255.0).astype(np.float32) - np.float32(0.5)) / np.float32(0.5)
    stored.tofile(folder / DATA)
    (folder / CONF).write_text(json.dumps({"shape": list(stored.shape), "dtype": "float32"}))
    np.save(folder / "lfw_list.npy", np.array([True, False]))


def test_files_of_adaface(tmp_path):
    pixels = np.arange(4 * 8 * 8 * 3, dtype=np.uint8).reshape(4, 8, 8, 3)
    put_adaface(tmp_path, pixels)
    found = read_memory_set(tmp_path / "lfw")
    assert np.array_equal(found.images, pixels)
    assert found.same.tolist() == [True, False]
    assert np.array_equal(open_dataset(tmp_path / "lfw")[2].image, pixels[2])
    np.full(4 * 8 * 8 * 3, np.nan, np.float32).tofile(tmp_path / DATA)
    with pytest.raises(DataError, match="values outside -1 to 1"):
        read_memory_set(tmp_path / "lfw")


def test_a_bad_image_leaves_no_set(tmp_path):
    write_bin(tmp_path / "lfw.bin", [*images()[:3], b"no image"], [True, False])
    with pytest.raises(DataError, match=r"lfw\.bin, image 3: not an image"):
        make_memory_set(tmp_path / "lfw.bin")
    write_bin(tmp_path / "lfw.bin", [*images()[:3], *images(8)[:1]], [True, False])
    with pytest.raises(DataError, match="image 3: is 8x8 pixels, but the first image is 16x16"):
        make_memory_set(tmp_path / "lfw.bin")
    assert not (tmp_path / CONF).exists()
    assert not (tmp_path / DATA).exists()
    with pytest.raises(DataError, match="cannot be read"):
        make_memory_set(tmp_path / "none.bin")


def test_verification_set_of_memory_files(lfw):
    make_memory_set(lfw)
    one, other = open_verification_set(lfw), open_verification_set(lfw.with_suffix(""))
    assert one.name == other.name == "lfw"
    assert one.comparisons.same.tolist() == other.comparisons.same.tolist()
    assert all(np.array_equal(one.images[i].image, other.images[i].image) for i in range(6))
    assert verification_sets(lfw.parent) == {"lfw": lfw}
    lfw.unlink()
    assert verification_sets(lfw.parent) == {"lfw": lfw.with_suffix("")}


def test_people_are_unpacked(tmp_path):
    data = RecordDataset(rec(tmp_path, images()).path)
    assert unpack_identities(data, tmp_path / "rec")
    folder = FolderDataset(tmp_path / "rec")
    assert folder.labels.tolist() == data.labels.tolist()
    assert [folder.encoded(i) for i in range(6)] == [data.encoded(i) for i in range(6)]
    assert folder.name(5).endswith("imgs/2/6.jpg")
    assert (folder.skipped, folder.num_classes) == ((), 3)
    assert not unpack_identities(data, tmp_path / "rec")
    with pytest.raises(DataError, match=r"imgs: is there already and was not made from train\.rec"):
        unpack_identities(data, tmp_path / "rec", swap=True)
    (tmp_path / "rec" / "imgs").rename(tmp_path / "kept")
    unpack_identities(data, tmp_path / "rec", swap=True, workers=2)
    swapped = FolderDataset(tmp_path / "rec")
    assert np.abs(swapped[0].image[..., ::-1].astype(int) - data[0].image).max() <= 3


def test_a_bad_record_leaves_no_folder(tmp_path):
    data = RecordDataset(rec(tmp_path, [*images()[:5], b"no image"]).path)
    with pytest.raises(DataError, match="not an image"):
        unpack_identities(data, tmp_path / "rec", swap=True)
    assert not [path for path in (tmp_path / "rec").iterdir() if "imgs" in path.name]


def test_suffixes():
    pixels = np.zeros((4, 4, 3), np.uint8)
    jpeg, png = encode_jpeg(pixels), encode_png(pixels)
    assert [suffix_of(jpeg), suffix_of(jpeg, "a.JPEG"), suffix_of(jpeg, "a.png")] == [".jpg", ".JPEG", ".jpg"]
    assert [suffix_of(png, "a.jpg"), suffix_of(b"BM", "a.bmp"), suffix_of(b"x")] == [".png", ".bmp", ".img"]


@pytest.mark.parametrize("flag", ["--make_image_files", "--make_validation_memfiles"])
def test_program_with_bins_only(program, tmp_path, flag):
    bin_file(tmp_path, images())
    expected = f"{tmp_path / 'set'}: memory files made\n"
    assert program("data_process/convert.py", "--rec_path", tmp_path, flag) == (0, expected, "")
    assert "exist already" in program("data_process/convert.py", "-r", tmp_path, flag).out
    assert np.array_equal(read_memory_set(tmp_path / "set").images[1], decode(images()[1], "x"))


def test_program_with_everything(program, tmp_path):
    folder = rec(tmp_path, images()).path
    bin_file(folder, images())
    (folder / "bad.bin").write_bytes(b"no set")
    flags = ("--make_image_files", "--make_validation_memfiles", "--swap_color_channel")
    done = program("data_process/convert.py", "--rec_path", folder, *flags)
    assert done.out == f"{folder / 'imgs'}: 6 images of 3 identities\n{folder / 'set'}: memory files made\n"
    assert (done.code, done.err.startswith(f"error: {folder / 'bad.bin'}: is no whole")) == (2, True)
    assert read_memory_set(folder / "set").images[0, 0, 0].tolist() == decode(images()[0], "x")[0, 0, ::-1].tolist()


def test_program_with_nothing(program, tmp_path):
    assert "nothing to do" in program("data_process/convert.py", "--rec_path", tmp_path).err
    assert "neither a .rec nor a .bin" in program("data_process/convert.py", "-r", tmp_path, "--make_image_files").err
    assert "no such folder" in program("data_process/convert.py", "--make_image_files", "-r", tmp_path / "none").err
