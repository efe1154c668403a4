"""Files that are not there."""

import numpy as np
import pytest

from fairface.data.missing import SKIP, STOP, find_missing, report_missing
from fairface.errors import ROOT, SKIP_MISSING, DataError


@pytest.mark.parametrize("count", [15, 16, 17])
def test_files_are_looked_for_one_by_one_or_by_their_folder(tmp_path, count):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "folder.jpg").mkdir()
    names = [f"a/{i}.jpg" for i in range(count - 2)]
    for name in names[::2]:
        (tmp_path / name).touch()
    (tmp_path / "a" / "link.jpg").symlink_to("gone")
    names += ["a/folder.jpg", "a/link.jpg"]
    gone = [i for i, name in enumerate(names) if i % 2 or i >= count - 2]
    elsewhere = [f"none/{i}.jpg" for i in range(count)]
    found = find_missing(tmp_path, [*elsewhere, *names])
    assert found.tolist() == [*range(count), *(count + i for i in gone)]
    assert found.dtype == np.int64


@pytest.mark.parametrize(("count", "shown"), [(5, "0; 1; 2; 3; 4"), (6, "0; 1; 2; 3; 4; …")])
def test_missing_files_are_an_error_or_a_note(count, shown):
    named = [str(i) for i in range(count)]
    said = f"l.txt: {count} of 9 files are missing"
    for policy, total in ((STOP, 9), (SKIP, count)):
        with pytest.raises(DataError) as caught:
            report_missing("l.txt", named, total, policy, "mend it", (ROOT,), "a hint; ")
        assert str(caught.value) == f"l.txt: {count} of {total} files are missing: {shown}; a hint; mend it"
        assert caught.value.settings == ((ROOT, SKIP_MISSING) if policy == STOP else (ROOT,))
    note = report_missing("l.txt", named, 9, SKIP, "mend it", (ROOT,), "a hint; ")
    assert note == (f"warning: {said} and were left out: {shown}; a hint",)
    assert report_missing("l.txt", named, 9, SKIP, "mend it") == (f"warning: {said} and were left out: {shown}",)
    assert report_missing("l.txt", [], 9, STOP, "mend it") == ()
