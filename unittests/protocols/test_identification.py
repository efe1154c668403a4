import numpy as np
import pytest
from scipy.io import savemat

from fairface.errors import DataError
from fairface.protocols.identification import Listed, search_subjects
from fairface.protocols.identity_lists import read_identities

GALLERY = Listed("gallery", ["17__Ann/1.jpg", "17__Ann/2.jpg", "18__Bo/1.jpg", "eve/x.jpg"])


def who(found, codes):
    return [found.names[code] for code in codes]


def test_folders_name_identities_and_numbers_are_common_to_all_parts():
    found = search_subjects(
        GALLERY, Listed("probe", ["18__Bo/7.jpg", "17__Ann/1.jpg", "eve/1.jpg"]),
        Listed("unknown", ["somebody.jpg", "99__Cy/1.jpg", "99__Cy/2.jpg"]), Listed("distractors", ["a.jpg", "b.jpg"]),
    )  # fmt: skip
    assert who(found, found.gallery) == ["17", "17", "18", "eve", "distractors: a.jpg", "distractors: b.jpg"]
    assert who(found, found.probes) == ["18", "17", "eve", "unknown: somebody.jpg", "99", "99"]
    assert found.notes == ()


def test_probes_who_are_not_enrolled_are_counted_and_named():
    probes = [f"{k}__P/1.jpg" for k in (17, 30, 31, 31, 32, 33)]
    found = search_subjects(Listed("gallery", ["17__P/1.jpg"]), Listed("probe", probes))
    assert found.notes == ("probe: 5 images of 4 identities that are not in the gallery (30, 31, 32, …); they count as "
                           "non-mated searches",)  # fmt: skip
    assert len(set(found.probes.tolist()) - set(found.gallery.tolist())) == 4
    (note,) = search_subjects(Listed("gallery", ["17__P/1.jpg"]), Listed("probe", probes[:5])).notes
    assert "of 3 identities that are not in the gallery (30, 31, 32); they" in note


def test_names_without_a_folder_are_read_by_their_number_or_from_a_list():
    gallery, probe = Listed("gallery", ["4_1.jpg", "4_2.jpg", "5_1.jpg"]), Listed("probe", ["4_9.jpg", "x.jpg"])
    found = search_subjects(gallery, probe, listed={"x.jpg": "5", "4_1.jpg": "5"})
    assert who(found, found.gallery) == ["5", "4", "5"]
    assert who(found, found.probes) == ["4", "5"]
    found = search_subjects(gallery, Listed("probe", ["any/x.jpg"]), listed={"x.jpg": "5"})
    assert who(found, found.probes) == ["5"]


@pytest.mark.parametrize(("parts", "message"), [
    ({"probes": ["x.jpg"]}, "probe: x.jpg does not name its identity"),
    ({"gallery": ["17__Ann/1.jpg", "17__Anna/1.jpg"]},
     "gallery: 17__Anna is identity 17, which is called 17__Ann in gallery; one identity has one name"),
    ({"probes": ["17__Bo/1.jpg"]}, "probe: 17__Bo is identity 17, which is called 17__Ann in gallery"),
    ({"unknown": ["17__Ann/9.jpg"]}, "unknown: 17__Ann/9.jpg shows identity 17, who is in the gallery or the probes"),
    ({"distractors": ["eve/9.jpg"]}, "distractors: eve/9.jpg shows identity eve, who is in"),
])  # fmt: skip
def test_identities_that_contradict_each_other_are_errors(parts, message):
    given = {"gallery": GALLERY.names, "probes": ["eve/1.jpg"], **parts}
    sources = {"probes": "probe"}
    listed = {name: Listed(sources.get(name, name), images) for name, images in given.items()}
    with pytest.raises(DataError, match=message):
        search_subjects(listed["gallery"], listed["probes"], listed.get("unknown"), listed.get("distractors"))


def test_a_distractor_may_not_be_who_is_searched_for():
    with pytest.raises(DataError, match="shows identity 30"):
        search_subjects(GALLERY, Listed("probe", ["30__Cy/1.jpg"]), None, Listed("distractors", ["30__Cy/2.jpg"]))


def test_lists_of_identities_are_read_from_csv_and_tinyfaces_mat(tmp_path):
    (tmp_path / "a.csv").write_text("image,identity\na.jpg,4\nb.jpg,5\na.jpg,4\n")
    assert read_identities(tmp_path / "a.csv") == {"a.jpg": "4", "b.jpg": "5"}
    for part in ("gallery", "probe"):
        cells = np.array([[np.array(["a.jpg"])], [np.array(["b.jpg"])]], object)
        savemat(tmp_path / "a.mat", {f"{part}_set": cells, f"{part}_ids": np.array([[4], [5]])})
        assert read_identities(tmp_path / "a.mat") == {"a.jpg": "4", "b.jpg": "5"}


def test_damaged_lists_of_identities_are_errors(tmp_path):
    (tmp_path / "a.csv").write_text("image,identity\na.jpg,4\na.jpg,5\n")
    with pytest.raises(DataError, match=r"a\.jpg is identity 4 and 5"):
        read_identities(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("image,age\na.jpg,4\n")
    with pytest.raises(DataError, match="has no column identity"):
        read_identities(tmp_path / "b.csv")
    savemat(tmp_path / "c.mat", {"x": np.arange(3)})
    with pytest.raises(DataError, match="holds neither gallery_set"):
        read_identities(tmp_path / "c.mat")
    savemat(tmp_path / "d.mat", {"probe_set": np.array(["a", "b"]), "probe_ids": np.arange(3)})
    with pytest.raises(DataError, match="2 images but 3 identities"):
        read_identities(tmp_path / "d.mat")
    (tmp_path / "e.mat").write_text("no such file")
    with pytest.raises(DataError, match="cannot be read as MATLAB file"):
        read_identities(tmp_path / "e.mat")
    with pytest.raises(DataError, match="nowhere"):
        read_identities(tmp_path / "nowhere.mat")
