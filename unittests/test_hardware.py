"""What Linux tells of its memory."""

from pathlib import Path

from fairface.hardware import available_memory, total_memory


def test_memory_that_can_be_taken(tmp_path: Path) -> None:
    table = tmp_path / "meminfo"
    table.write_text("MemTotal:       65843208 kB\nMemFree:  7 kB\nMemAvailable:   51234567 kB\n")
    assert available_memory(table) == 51234567 * 1024
    table.write_text("MemTotal:       65843208 kB\n")  # Linux before 3.14
    assert available_memory(table) is None
    assert available_memory(tmp_path / "none") is None
    assert 0 < (available_memory() or 0) <= total_memory()
