import numpy as np
import pytest

from fairface.data.table import read_csv_table
from fairface.errors import ConfigError, DataError
from fairface.protocols.attributes import attributes_of_images
from fairface.protocols.bands import Bands


def test_each_number_lies_in_the_band_that_a_loop_finds():
    bounds = (18.0, 40.5, 65.0)
    bands = Bands.between(bounds)
    assert bands == ("<18", "18 to <40.5", "40.5 to <65", ">=65")
    for number in [*np.linspace(-5, 100, 400).tolist(), *bounds]:
        assert bands.band(repr(number)) == bands[sum(number >= bound for bound in bounds)]
    assert [bands.band(text) for text in ("", "old", "nan", "inf", "1,5")] == [None] * 5


@pytest.mark.parametrize("bounds", [(), (40, 18), (18, 18), (float("nan"),), (1, float("inf"))])
def test_bounds_must_rise(bounds):
    with pytest.raises(ConfigError, match="bounds of bands must rise, such as 18,40,65"):
        Bands.between(bounds)


def test_ages_of_a_table_become_bands_and_missing_ones_stay_unknown(tmp_path):
    ages = [str(age) for age in np.random.default_rng(0).permutation(np.arange(0, 90, 0.5))]
    ages[5], ages[7] = "", "NA"
    path = tmp_path / "people.csv"
    path.write_text("image,age\n" + "".join(f"p{i},{age}\n" for i, age in enumerate(ages)))
    table, images = read_csv_table(path), [f"p{i}" for i in range(len(ages))]
    found = attributes_of_images(table, images, ["age"], allowed={"age": Bands.between([18, 65])})
    assert found.values == (("<18", "18 to <65", ">=65"),)
    wanted = [-1 if age in ("", "NA") else int(float(age) >= 18) + int(float(age) >= 65) for age in ages]
    assert found.codes[:, 0].tolist() == wanted
    with pytest.raises(DataError, match=r"age has 178 different values; .* to bands: --bands age=18,40,65"):
        attributes_of_images(table, images, ["age"])


def test_what_is_no_number_is_named_with_its_line(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text('image,age\np0,7\np1,"35,5"\np2,old\n')
    with pytest.raises(DataError, match=r"line 3: age is '35,5', which is no number and lies in no band \(2 rows have"):
        attributes_of_images(read_csv_table(path), ["p0", "p1", "p2"], ["age"], allowed={"age": Bands.between([18])})
