"""Progress in a log."""

from __future__ import annotations

import io

from seqmusic.cli.progress_lines import ProgressLines


def lines(total: int | None, steps: list[int], seconds_each: float) -> list[str]:
    """What is written when each entry of `steps` is reported after some seconds."""
    stream, now = io.StringIO(), [0.0]
    with ProgressLines(
        total=total,
        description="reading",
        unit="files",
        initial=0,
        stream=stream,
        clock=lambda: now[0],
    ) as progress:
        for n in steps:
            now[0] += seconds_each
            progress.update(n)
            progress.set_postfix_str("loss 1.0")
    return stream.getvalue().splitlines()


def test_a_line_for_each_tenth():
    found = lines(200, [1] * 200, seconds_each=20)
    assert len(found) == 10
    assert found[2] == "reading: 30 % (60 of 200 files)"


def test_a_great_step_writes_one_line():
    assert lines(200, [90, 110], 20) == [
        "reading: 40 % (90 of 200 files)",
        "reading: 100 % (200 of 200 files)",
    ]


def test_short_work_and_work_of_unknown_length_write_nothing():
    assert lines(10, [1] * 10, 0.5) == []
    assert lines(None, [1] * 10, 20) == []
