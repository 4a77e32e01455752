"""The table of copying over a training: it is read as it was written, and drawn."""

from pathlib import Path

import pytest
from sweeps import COPYING_POINT

from seqmusic.errors import FormatError
from seqmusic.report.copying_curve import (
    COPYING_CSV,
    CopyingPoint,
    copying_charts,
    copying_table,
    read_copying,
    write_copying,
)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    other = COPYING_POINT._replace(training="unrestrained", step=200, held_out=float("inf"))
    rows = [COPYING_POINT, other]
    assert read_copying(write_copying(tmp_path / COPYING_CSV, rows)) == rows
    assert copying_table(rows).records()[0]["held_out"] == 9.0


@pytest.mark.parametrize("text", ["", "training,step\nx,1\n", "training;step\n", "\x00"])
def test_other_tables_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / COPYING_CSV).write_text(text)
    with pytest.raises(FormatError, match="is no table of seqmusic experiment copying"):
        read_copying(tmp_path / COPYING_CSV)


def test_incomplete_and_damaged_rows_are_refused(tmp_path: Path) -> None:
    path = write_copying(tmp_path / COPYING_CSV, [COPYING_POINT])
    names, values = path.read_text().splitlines()
    assert names == ",".join(CopyingPoint._fields)
    for damaged in (values.rsplit(",", 1)[0], values.replace("100", "many")):
        path.write_text(f"{names}\n{damaged}\n")
        with pytest.raises(FormatError, match=r"copying\.csv: is no table"):
            read_copying(path)


def test_the_legends_name_both_trainings() -> None:
    points = [COPYING_POINT, COPYING_POINT._replace(step=200)]
    loss, copied = copying_charts([*points, COPYING_POINT._replace(training="unrestrained")])
    assert _legend(loss.figure) == [
        "validation, as configured",
        "training, as configured",
        "validation, unrestrained",
        "training, unrestrained",
    ]
    assert _legend(copied.figure)[:2] == ["held-out, as configured", "training, as configured"]


def _legend(figure) -> list[str]:  # type: ignore[no-untyped-def]
    return [text.get_text() for text in figure.legends[0].get_texts()]
