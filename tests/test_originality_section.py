"""The section on originality: quantiles of the copied notes, and copying over a training."""

from sweeps import COPYING_POINT, small_sweep

from seqmusic.report.originality_section import originality_section


def test_copied_notes_have_quantiles() -> None:
    section = originality_section(small_sweep())
    works, first, *_ = section.tables[0].records()
    assert (works["setting"], works["pieces"]) == ("held-out works", 3)
    assert (works["notes_50"], works["notes_100"]) == (8, 10)  # of 6, 8 and 10
    assert (first["notes_50"], first["notes_100"]) == (8.5, 12)  # of 5, 8, 9 and 12
    assert len(section.charts) == 1


def test_a_copying_curve_adds_charts_and_a_table() -> None:
    curve = [COPYING_POINT, COPYING_POINT._replace(step=200)]
    section = originality_section(small_sweep(), curve)
    assert len(section.charts) == 3
    assert section.tables[1].records()[1]["step"] == 200
