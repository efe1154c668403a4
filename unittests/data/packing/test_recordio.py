"""fairface.data.packing (records, plan, lists, .bin), fairface.data.whole_files and the programs on top of them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fairface.data.image_size import is_jpeg
from fairface.data.images import decode, encode_jpeg, encode_png
from fairface.data.packing.bin import pack_bin
from fairface.data.packing.csv_list import plan_csv
from fairface.data.packing.lst import plan_lst
from fairface.data.packing.plan import plan_folder
from fairface.data.packing.recordio import PackOptions, pack_plan
from fairface.data.pairsets.bin_set import read_bin
from fairface.data.recordio.dataset import RecordDataset
from fairface.errors import ConfigError, DataError
from unittests.data.recordio.records import Records

VECTORS = np.load(Path(__file__).parents[2] / "vectors" / "data_recordio.npz")
FILES = {"train.rec", "train.idx", "property", "id_to_path.txt", "identities.txt"}


def photo(value: int, size: int = 112) -> np.ndarray:
    image = np.full((size, size, 3), value, np.uint8)
    image[::7] = 255 - value
    return image


def put(root: Path, name: str, value: int = 0, size: int = 112) -> bytes:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(photo(value, size)) if path.suffix == ".png" else encode_jpeg(photo(value, size), 80))
    return path.read_bytes()


def put_vector(root: Path) -> Path:
    jpegs = np.split(VECTORS["jpeg_concat"], np.cumsum(VECTORS["jpeg_lengths"])[:-1])
    lines = bytes(VECTORS["lst"]).decode().splitlines()
    for line, jpeg in zip(lines, jpegs, strict=True):
        (root / line.split("\t")[1]).write_bytes(jpeg.tobytes())
    (root / "train.lst").write_bytes(bytes(VECTORS["lst"]))
    return root / "train.lst"


def program(root: Path, name: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "data_process" / name), *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(root)}, **options,
    )  # fmt: skip


@pytest.mark.parametrize("workers", [1, 4])
def test_lst_gives_insightfaces_bytes(tmp_path, workers):
    pack_plan(plan_lst(put_vector(tmp_path)), tmp_path / "out", PackOptions(workers=workers))
    for name, key in (("train.rec", "rec"), ("train.idx", "idx"), ("property", "property")):
        assert (tmp_path / "out" / name).read_bytes() == bytes(VECTORS[key])
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert (tmp_path / "out" / "id_to_path.txt").read_text().splitlines()[1] == f"2, {tmp_path / 'id0_1.jpg'}"


def test_mxnet_reads_what_is_packed(tmp_path):
    pytest.importorskip("fairface.mx")
    from fairface.mx import mx

    for name in ("b/1.jpg", "a/1.jpg", "a/2.jpg"):
        put(tmp_path / "in", name, 50)
    pack_plan(plan_folder(tmp_path / "in"), tmp_path, PackOptions())
    reader = mx.recordio.MXIndexedRecordIO(str(tmp_path / "train.idx"), str(tmp_path / "train.rec"), "r")
    labels = [mx.recordio.unpack(reader.read_idx(key))[0].label.tolist() for key in range(6)]
    assert labels == [[4, 6], [0, 1], [0, 1], [1, 1], [1, 3], [3, 4]]


def test_folder(tmp_path):
    kept = put(tmp_path / "in", "Zoe/1.jpg", 10)
    put(tmp_path / "in", "Ann/1.png", 20)
    put(tmp_path / "in", "Ann/2.jpg", 30)
    (tmp_path / "in" / "Ann" / "readme").touch()
    plan = plan_folder(tmp_path / "in")
    assert plan.skipped == ("Ann/readme",)
    pack_plan(plan, tmp_path / "out", PackOptions(workers=2))
    data = RecordDataset(tmp_path / "out")
    assert data.labels.tolist() == [0, 0, 1]
    assert data.encoded(2) == kept
    assert is_jpeg(data.encoded(0))
    assert np.abs(data[0].image.astype(int) - photo(20)).mean() < 3
    assert (tmp_path / "out" / "identities.txt").read_text() == "Ann\nZoe\n"


def test_csv_with_attributes(tmp_path):
    for name in "abcd":
        put(tmp_path / "photos", f"{name}.jpg")
    table = tmp_path / "list.csv"
    table.write_text(
        "image,sex,identity,age,glasses\na.jpg,m,zoe,10,0\nb.jpg,f,ann,9,1\nc.jpg,m,zoe,,0\nd.jpg,f,ann,10,1\n"
    )
    pack_plan(plan_csv(table, tmp_path / "photos"), tmp_path / "all", PackOptions())
    data = RecordDataset(tmp_path / "all")
    assert data.attribute_names == ("sex", "age", "glasses")
    assert data.attributes.tolist() == [[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, -1, 0]]
    assert data.labels.tolist() == [0, 0, 1, 1]
    assert json.loads((tmp_path / "all" / "attributes.json").read_text()) == {
        "names": ["sex", "age", "glasses"],
        "values": {"sex": ["f", "m"], "age": ["9", "10"], "glasses": ["0", "1"]},
    }
    assert Records(tmp_path / "all" / "train.rec").read(1)[0].label.tolist() == [0, 1, 0, 0, 1]
    plan = plan_csv(table, tmp_path / "photos", ["sex"], {"sex": ["m", "x", "f"]})
    pack_plan(plan, tmp_path / "some", PackOptions())
    assert RecordDataset(tmp_path / "some").attributes.tolist() == [[2], [2], [0], [0]]
    with pytest.raises(DataError, match=r"list\.csv: line 3: sex is 'f', not one of m"):
        plan_csv(table, None, ["sex"], {"sex": ["m"]})


def test_sparse_labels_of_a_lst_and_its_landmarks(tmp_path):
    put(tmp_path, "a.jpg", 10, 200)
    put(tmp_path, "b.jpg", 20)
    numbers = "\t".join(["0\t0\t9\t9", *map(str, range(10))])
    (tmp_path / "x.lst").write_text(f"0\ta.jpg\t9\t{numbers}\n1\t{tmp_path}/b.jpg\t7\n")
    seen = []

    def align(image, points, size):
        seen.append((image.shape, points.tolist(), size))
        return photo(77, size)

    pack_plan(plan_lst(tmp_path / "x.lst"), tmp_path / "out", PackOptions(align=align))
    assert seen == [((200, 200, 3), [[i, i + 5] for i in range(5)], 112)]
    assert RecordDataset(tmp_path / "out").labels.tolist() == [0, 1]
    assert (tmp_path / "out" / "identities.txt").read_text() == "7\n9\n"
    with pytest.raises(DataError, match=r"a\.jpg.*is not aligned"):
        pack_plan(plan_lst(tmp_path / "x.lst"), tmp_path / "out2", PackOptions())


@pytest.mark.parametrize("separator", ["/", "\\"])
def test_lists_of_im2rec(tmp_path, separator):
    written = [put(tmp_path, name, i) for i, name in enumerate(("a b/1.jpg", "a b/2.jpg", "c/1.jpg"))]
    rows = [(5, 7, f"a b{separator}1.jpg"), (9, 0, f"a b{separator}2.jpg"), (11, 7, f"c{separator}1.jpg")]
    text = "".join(f"{index}\t{label:f}\t{name}\r\n" for index, label, name in rows)
    (tmp_path / "x.lst").write_text(text, encoding="utf-8")
    plan = plan_lst(tmp_path / "x.lst")
    pack_plan(plan, tmp_path / "out", PackOptions())
    packed = RecordDataset(tmp_path / "out")
    assert packed.labels.tolist() == [0, 1, 1]  # 0 and 7
    assert [packed.encoded(i) for i in range(3)] == [written[i] for i in (1, 0, 2)]
    assert (tmp_path / "out" / "identities.txt").read_text() == "0\n7\n"


def test_insightfaces_lists_with_labels_as_im2rec_writes_them(tmp_path):
    put(tmp_path, "a\\b.jpg")  # a file of this very name, as Unix allows
    put(tmp_path, "a/c.jpg")
    (tmp_path / "x.lst").write_text("1\ta\\b.jpg\t3.000000\n1\ta\\c.jpg\t4\n")
    plan = plan_lst(tmp_path / "x.lst")
    assert plan.identities == ("3", "4")
    assert [photo.path for photo in plan.photos] == [str(tmp_path / "a\\b.jpg"), str(tmp_path / "a" / "c.jpg")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no photographs"),
        ("1\ta.jpg\n", "line 1: is not"),
        ("yes\ta.jpg\t0\n", "line 1: is not"),
        ("1\ta.jpg\t-1\n", "line 1: the label is -1, not a whole number from 0"),
        ("1\ta.jpg\t1.5\n", "line 1: the label is 1.5"),
        ("0\t1.000000\t2.000000\ta.jpg\n", "line 1: is not `index<tab>label<tab>path` with one label"),
        ("0\t1.000000\ta.jpg\n1\ta.jpg\t0\n", "line 2: is not `index"),
        ("0\tnan\ta.jpg\n", "line 1: the label is nan"),
        ("0\tinf\ta.jpg\n", "line 1: the label is inf"),
        ("0\t0.000000\t..\\a.jpg\n", "is not below"),
        ("0\ta.jpg\t0\n", "not aligned and has no landmarks"),
        ("0\ta.jpg\t0\t1\t1\t1\t1\t5\t5\n", "line 1: is not"),
        ("1\t../a.jpg\t0\n", "is not below"),
    ],
)
def test_damaged_lst(tmp_path, text, said):
    (tmp_path / "x.lst").write_text(text)
    with pytest.raises(DataError, match=said):
        plan_lst(tmp_path / "x.lst")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 names no columns"),
        ("image,person\na,b\n", "identity missing"),
        ("image,identity\n", "holds no rows below"),
        ("image,identity\na.jpg,\n", "line 2: image or identity is empty"),
        ("image,identity\n/a.jpg,b\n", "is not below"),
        ("image,identity,n\n" + "".join(f"a.jpg,b,{i}\n" for i in range(129)), "129 different values"),
    ],
)
def test_damaged_csv(tmp_path, text, said):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        plan_csv(tmp_path / "x.csv")


def test_csv_with_the_index_of_pandas_and_semicolons(tmp_path):
    (tmp_path / "x.csv").write_text(";Image;Identity;sex;\n0;a.jpg;ann;f;\n1;b.jpg;bob;m;\n")
    plan = plan_csv(tmp_path / "x.csv")
    assert plan.attributes.names == ("sex",)
    assert plan.attributes.values == {"sex": ("f", "m")}


def test_lists_that_are_missing_or_no_text(tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\xd8")
    for plan in (plan_lst, plan_csv):
        with pytest.raises(DataError, match="cannot be read"):
            plan(tmp_path / "none")
        with pytest.raises(DataError, match="UTF-8"):
            plan(tmp_path / "x")


def test_sizes(tmp_path):
    put(tmp_path / "in", "a/1.jpg", 0, 100)
    with pytest.raises(DataError, match=r"1\.jpg: 100x100 pixels, not 112x112"):
        pack_plan(plan_folder(tmp_path / "in"), tmp_path / "out", PackOptions())
    pack_plan(plan_folder(tmp_path / "in"), tmp_path / "out", PackOptions(resize=True))
    assert decode(RecordDataset(tmp_path / "out").encoded(0), "x").shape == (112, 112, 3)
    with pytest.raises(ConfigError, match="quality 0"):
        PackOptions(quality=0)


def test_a_bad_photo_leaves_nothing_and_the_old_files(tmp_path):
    put(tmp_path / "in", "a/1.jpg")
    out = tmp_path / "out"
    pack_plan(plan_folder(tmp_path / "in"), out, PackOptions())
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (tmp_path / "in" / "a" / "2.jpg").write_bytes(b"text")
    with pytest.raises(DataError, match=r"2\.jpg: not an image"):
        pack_plan(plan_folder(tmp_path / "in"), out, PackOptions())
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_attribute_names_of_other_data_are_not_left_beside(tmp_path):
    put(tmp_path / "in", "a/1.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "attributes.json").write_text("{}")
    with pytest.raises(DataError, match=r"attributes\.json: is there from other data"):
        pack_plan(plan_folder(tmp_path / "in"), tmp_path / "out", PackOptions())


def test_bin_of_pairs(tmp_path):
    kept = put(tmp_path, "a/1.jpg", 10)
    put(tmp_path, "b/1.png", 20)
    pack_bin(tmp_path / "x.bin", tmp_path, ["a/1.jpg", "a/1.jpg", "a/1.jpg", "b/1.png"], [True, False], PackOptions())
    found = read_bin(tmp_path / "x.bin")
    assert found.same.tolist() == [True, False]
    assert found.images[:3] == [kept] * 3
    with pytest.raises(DataError, match="would leave the folder"):
        pack_bin(tmp_path / "y.bin", tmp_path / "a", ["../b/1.png", "1.jpg"], [False], PackOptions())
    with pytest.raises(DataError, match=r"none\.jpg: cannot be read"):
        pack_bin(tmp_path / "y.bin", tmp_path, ["none.jpg", "a/1.jpg"], [False], PackOptions())


def test_programs(tmp_path, root):
    for name in ("ann/1.jpg", "ann/2.jpg", "zoe/1.jpg"):
        put(tmp_path / "in", name)
    done = program(root, "face2rec2.py", tmp_path / "in", "--output", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 photographs of 2 identities" in done.stdout
    table = tmp_path / "pairs.csv"
    table.write_text("image_a,image_b,same\nann/1.jpg,ann/2.jpg,1\nann/1.jpg,zoe/1.jpg,0\n")
    done = program(root, "make_bin.py", table, "--root", tmp_path / "in", "--output", tmp_path / "out" / "mine.bin")
    assert (done.returncode, done.stderr) == (0, "")
    assert read_bin(tmp_path / "out" / "mine.bin").same.tolist() == [True, False]
    (tmp_path / "list.csv").write_text("image,identity,sex\nann/1.jpg,ann,f\n")
    arguments = [
        tmp_path / "list.csv",
        "--root",
        tmp_path / "in",
        "--output",
        tmp_path / "csv",
        "--attributes",
        "sex:m/f",
    ]
    assert program(root, "face2rec2.py", *arguments).returncode == 0
    assert RecordDataset(tmp_path / "csv").attributes.tolist() == [[1]]


def test_programs_say_what_is_wrong_in_one_line(tmp_path, root):
    (tmp_path / "empty").mkdir()
    for arguments, said in (
        (["face2rec2.py", tmp_path / "empty"], "holds no photograph of an identity"),
        (["face2rec2.py", tmp_path / "none"], "there is no such folder"),
        (["face2rec2.py", tmp_path / "empty", "--attributes", "a"], "--attributes names columns of a CSV"),
        (["make_bin.py", tmp_path / "none.csv"], "none.csv"),
    ):
        done = program(root, *arguments, "--output", tmp_path / "out")
        assert done.returncode == 2
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_file_size_limit_leaves_nothing(tmp_path, root):
    rng = np.random.default_rng(0)
    (tmp_path / "in" / "a").mkdir(parents=True)
    for i in range(40):
        (tmp_path / "in" / "a" / f"{i}.jpg").write_bytes(encode_jpeg(rng.integers(0, 256, (112, 112, 3), np.uint8)))
    code = (
        "import resource, signal, sys, runpy\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    arguments = [str(root / "data_process" / "face2rec2.py"), str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "train.rec: cannot be written (File too large)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_ctrl_c_leaves_nothing(tmp_path, root):
    code = (
        "import signal, sys, time\n"
        # A shell starts background jobs with SIGINT ignored, and children inherit that.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from fairface.cli import run\n"
        "from fairface.data.packing.plan import plan_folder\n"
        "from fairface.data.packing.recordio import PackOptions, pack_plan\n"
        "def slowly(items):\n"
        "    for item in items:\n"
        "        print('one', flush=True)\n"
        "        time.sleep(0.2)\n"
        "        yield item\n"
        "run(lambda argv: pack_plan(plan_folder(argv[0]), argv[1], PackOptions(), slowly), sys.argv[1:])\n"
    )
    for i in range(60):
        put(tmp_path / "in", f"a/{i}.jpg")
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "in"), str(tmp_path / "out")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert child.stdout is not None
    child.stdout.readline()
    time.sleep(0.05)
    assert len(list((tmp_path / "out").iterdir())) == 5
    child.send_signal(signal.SIGINT)
    _, error = child.communicate(timeout=20)
    assert (child.returncode, error) == (130, "stopped\n")
    assert list((tmp_path / "out").iterdir()) == []
