"""IJB's lists in every public layout, and every kind of damage."""

import numpy as np
import pytest

from fairface.errors import DataError
from fairface.protocols.ijb import read_ijb
from fairface.protocols.ijb_layout import find_ijb, ijb_name, image_paths
from fairface.protocols.ijb_lists import read_points
from unittests.protocols.ijb_folder import LAYOUTS, lists, write_lists


@pytest.fixture
def files():
    return lists(np.random.default_rng(0))


@pytest.mark.parametrize("dataset", ["IJBB", "IJBC"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_lists_are_read_in_every_layout(tmp_path, layout, dataset):
    files = lists(np.random.default_rng(1), dataset=dataset)
    write_lists(tmp_path, files, layout, dataset)
    found = read_ijb(tmp_path, dataset)
    short = dataset.lower()
    names, templates, media = zip(*(line.split() for line in files[f"{short}_face_tid_mid.txt"]), strict=True)
    assert found.faces.names == names
    assert found.faces.templates.tolist() == [int(t) for t in templates]
    assert found.faces.media.tolist() == [int(m) for m in media]
    pairs = [tuple(map(int, line.split())) for line in files[f"{short}_template_pair_label.txt"]]
    columns = found.template_ids[found.a], found.template_ids[found.b], found.same
    read = zip(*(column.tolist() for column in columns), strict=True)
    assert list(read) == [(a, b, bool(same)) for a, b, same in pairs]
    assert list(found.galleries) == {"IJBB": ["S1", "S2"], "IJBC": ["G1", "G2"]}[dataset]
    for part, gallery in found.galleries.items():
        rows = {tuple(map(int, line.split(",")[:2])) for line in files[f"{short}_1N_gallery_{part}.csv"][1:]}
        assert set(zip(gallery.templates.tolist(), gallery.subjects.tolist(), strict=True)) == rows
        assert len(gallery.templates) == len(rows)
    points = read_points(found.files.points, found.faces.names)
    for name, row, score in zip(names, points.points, points.scores, strict=True):
        line = next(line.split() for line in files[f"{short}_name_5pts_score.txt"] if line.startswith(f"{name} "))
        np.testing.assert_allclose(row.ravel(), [float(value) for value in line[1:11]], rtol=1e-6)
        assert score == pytest.approx(float(line[11]), rel=1e-6)


def test_names_of_the_data_set_and_of_its_folder(tmp_path, files):
    for spelt in ("IJBC", "ijb-c", "IJB_C", "ijbc"):
        assert ijb_name(spelt) == "IJBC"
    with pytest.raises(DataError, match="'IJBA' is no such data set; give IJBB or IJBC"):
        ijb_name("IJBA")
    write_lists(tmp_path / "IJB-C", files, "insightface")
    assert find_ijb(tmp_path, "IJBC").faces.parent == tmp_path / "IJB-C" / "meta"


def test_images_lie_flat_or_by_the_first_two_letters(tmp_path):
    names = ["123.jpg", "45.jpg"]
    assert image_paths(tmp_path, names) == names  # nothing there: told later, by name
    (tmp_path / "45").mkdir()
    (tmp_path / "45" / "45.jpg").touch()
    assert image_paths(tmp_path, names) == ["12/123.jpg", "45/45.jpg"]
    (tmp_path / "123.jpg").touch()
    assert image_paths(tmp_path, names) == names


def test_without_all_lists_of_1_to_n_there_is_none(tmp_path, files):
    paths = write_lists(tmp_path, files)
    paths["ijbc_1N_gallery_G2.csv"].unlink()
    found = read_ijb(tmp_path, "IJBC")
    assert (found.galleries, found.probes) == ({}, None)


@pytest.mark.parametrize("name", ["ijbc_face_tid_mid.txt", "ijbc_template_pair_label.txt"])
def test_a_list_that_is_not_there_is_named(tmp_path, files, name):
    write_lists(tmp_path, files)[name].unlink()
    with pytest.raises(DataError, match=f"no {name} in it"):
        read_ijb(tmp_path, "IJBC")
    with pytest.raises(DataError, match="there is no such folder"):
        read_ijb(tmp_path / "nowhere", "IJBC")


DAMAGE = {
    "pair of unknown templates": ("ijbc_template_pair_label.txt", "100 9 0\n8 9 0\n",
                                  r"pair_label.txt: 2 templates have no image \(8, 9\)"),
    "pair of two words": ("ijbc_template_pair_label.txt", "100 107\n", r"line 1 is '100 107', not `template template"),
    "label that is none": ("ijbc_template_pair_label.txt", "100 107 0\n100 107 2\n",
                           r"1 label is neither 1 nor 0 \(pair 2: 2\)"),
    "face without a medium": ("ijbc_face_tid_mid.txt", "1.jpg 100 3\n2.jpg 100\n", "line 2 is '2.jpg 100', not `image"),
    "template that is no number": ("ijbc_face_tid_mid.txt", "1.jpg 100 3\n2.jpg x 1\n", "line 2 is '2.jpg x 1', not"),
    "template that is too large": ("ijbc_face_tid_mid.txt", "1.jpg 2147483648 3\n",
                                   "line 1 is '1.jpg 2147483648 3', not"),
    "template below zero": ("ijbc_face_tid_mid.txt", "1.jpg -4 3\n", "line 1 is '1.jpg -4 3', not"),
    "gallery template without image": ("ijbc_1N_gallery_G1.csv", "T,S\n3,1\n",
                                       r"G1.csv: 1 template has no image \(3\)"),
    "probe template without image": ("ijbc_1N_probe_mixed.csv", "T,S\n3,1\n", r"mixed.csv: 1 template has no image"),
    "template of two subjects": ("ijbc_1N_probe_mixed.csv", "T,S\n100,1\n107,1\n100,2\n",
                                 "line 4: template 100 shows subject 2, but 1 before"),
    "subject twice": ("ijbc_1N_gallery_G1.csv", "T,S\n100,1\n107,1\n", "subject 1 is enrolled already, in gallery G1"),
    "subject in both": ("ijbc_1N_gallery_G2.csv", "T,S\n107,501\n",
                        "G2.csv: subject 501 is enrolled already, in gallery G1"),
    "gallery of a header": ("ijbc_1N_gallery_G1.csv", "T,S\n", "holds no lines"),
    "gallery of one column": ("ijbc_1N_gallery_G1.csv", "T,S\n100\n", "line 2 is '100', not `template,subject"),
    "gallery that is no text": ("ijbc_1N_gallery_G1.csv", b"T,S\n\xff\xfe\n", "is no CSV text"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_lists_are_one_line_that_names_the_place(tmp_path, files, kind):
    name, text, message = DAMAGE[kind]
    path = write_lists(tmp_path, files)[name]
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=message):
        read_ijb(tmp_path, "IJBC")


def points(tmp_path, *lines):
    path = tmp_path / "points.txt"
    path.write_text("\n".join(lines))
    return path


def test_points_are_found_by_name(tmp_path):
    numbers = {name: " ".join(str(start + k) for k in range(11)) for start, name in enumerate("abc")}
    path = points(tmp_path, *(f"{name}.jpg {numbers[name]}" for name in "cabb"))
    found = read_points(path, ["a.jpg", "b.jpg", "a.jpg"])
    assert found.points[:, 0].tolist() == [[0, 1], [1, 2], [0, 1]]
    assert found.scores.tolist() == [10, 11, 10]


@pytest.mark.parametrize(("line", "message"), [
    ("b.jpg 1 2 3", "line 2 is 'b.jpg 1 2 3', not"), ("b.jpg 1 2 3 4 5 6 7 8 9 x 1", "line 2 is"),
    ("b.jpg 1 2 3 4 5 6 7 8 9 nan 1", "line 2 is"), ("a.jpg 1 2 3 4 5 6 7 8 9 10 1", "line 2: a.jpg has other points"),
])  # fmt: skip
def test_damaged_points_are_named(tmp_path, line, message):
    path = points(tmp_path, "a.jpg 0 0 0 0 0 0 0 0 0 0 0", line)
    with pytest.raises(DataError, match=message):
        read_points(path, ["a.jpg"])


def test_images_without_points_are_counted_and_named(tmp_path):
    path = points(tmp_path, "a.jpg 0 0 0 0 0 0 0 0 0 0 0")
    with pytest.raises(DataError, match=r"4 images have no line \(b, c, d, …\)"):
        read_points(path, ["a.jpg", "b", "c", "b", "d", "e"])
