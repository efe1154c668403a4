from fairface.cli import table
from fairface.report.five_sets_table import five_sets_rows

FIVE = ("LFW", "CFP-FP", "CPLFW", "CALFW", "AgeDB-30")


def test_all_five_in_the_published_order():
    cells = {title: (0.99 - i / 100, (0.98 - i / 100, 0.995 - i / 100)) for i, title in enumerate(FIVE)}
    names, lines = five_sets_rows({"m": cells}, {"m": (0.97, (0.965, 0.975))}, FIVE)
    header, _, first, second = table(lines, names).splitlines()
    assert header.split() == ["model", *FIVE, "AVG"]
    assert first.split() == ["m", "0.9900", "0.9800", "0.9700", "0.9600", "0.9500", "0.9700"]
    assert second.split()[:4] == ["95%", "interval", "0.9800-0.9950", "0.9700-0.9850"]
    assert second.split()[-1] == "0.9650-0.9750"


def test_missing_sets_further_sets_and_several_models():
    rows = {"a": {"LFW": (0.5, (0.4, 0.6)), "CFP-FF": (0.7, (0.6, 0.8))}, "b": {"LFW": (1.0, (0.9, 1.0))}}
    names, cells = five_sets_rows(rows, {"a": (0.5, (0.4, 0.6)), "b": None}, FIVE, ("CFP-FF",), level=0.9)
    lines = table(cells, names).splitlines()
    assert lines[0].split() == ["model", *FIVE, "AVG", "of", "1", "CFP-FF"]
    assert lines[2].split() == ["a", "0.5000", "n/a", "n/a", "n/a", "n/a", "0.5000", "0.7000"]
    assert lines[3].split() == ["90%", "interval", "0.4000-0.6000", "0.4000-0.6000", "0.6000-0.8000"]
    assert lines[4].split() == ["b", "1.0000", "n/a", "n/a", "n/a", "n/a", "n/a", "n/a"]
