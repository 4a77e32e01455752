"""A notation file with any content is read, or refused by an error of this package in one line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqmusic.errors import FormatError
from seqmusic.formats import read_pieces, read_with_report
from seqmusic.formats.notation.writing import musicxml_text
from seqmusic.score import Key, Note, Score, Voice

FOLDER = Path(__file__).parent / "fixtures" / "notation"
SEEDS = [(path.suffix, path.read_bytes()) for path in sorted(FOLDER.glob("*.*"))]
SMALL_SCORE = Score((Voice("A", (Note(0, 24, 60), Note(24, 8, 62))), Voice("B", ())), key=Key(2))
SEEDS.append((".xml", musicxml_text(SMALL_SCORE).encode()))
EDGE_BYTES = st.sampled_from(
    [
        *(b"-1", b"0", b"99999999", b"1e99", b"/", b"1/0", b"", b"nan", b"0.0001"),
        *(b"\0", b"\n", b"\t", b"\xff", b"\xf0\x9f"),
        *(b"<", b">", b"&", b"*^", b"*v", b"*-", b"**kern", b"=", b"[", b"]", b"q", b"3%7"),
        *(b"{", b"}", b"(3", b"V:2", b"M:3/0", b"X:2", b"K:", b"|:", b":|2"),
    ]
)
POSITIONS = st.integers(0, 6000)
EDITS = st.tuples(
    POSITIONS, st.sampled_from(["replace", "insert", "delete", "copy"]), EDGE_BYTES, POSITIONS
)


def apply_edits(data: bytes, edits: list[tuple[int, str, bytes, int]]) -> bytes:
    changed = bytearray(data)
    for position, kind, piece, other in edits:
        at = position % (len(changed) + 1)
        if kind == "replace":
            changed[at : at + max(1, len(piece))] = piece
        elif kind == "insert":
            changed[at:at] = piece
        elif kind == "delete":
            del changed[at : at + 1 + other % 40]
        else:
            start = other % (len(changed) + 1)
            changed[at:at] = changed[start : start + 60]
    return bytes(changed)


def check_reads_or_refuses(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    refusals = []
    try:
        reading = read_with_report(path)
        assert reading.score.voices
        assert "\n" not in "".join(reading.repairs + reading.losses)
    except FormatError as error:
        refusals.append(str(error))
    if path.suffix == ".abc":
        refusals += [piece.refusal for piece in read_pieces(path) if piece.report is None]
    for refusal in refusals:
        assert refusal.startswith(f"{path}: ")
        assert "\n" not in refusal


@pytest.mark.parametrize("ending", sorted({suffix for suffix, _ in SEEDS}))
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_damaged_files(tmp_path: Path, ending: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from([content for suffix, content in SEEDS if suffix == ending]))
    edits = data.draw(st.lists(EDITS, min_size=1, max_size=5))
    check_reads_or_refuses(tmp_path / f"x{ending}", apply_edits(seed, edits))


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.binary(max_size=300),
    st.sampled_from([".xml", ".mxl", ".mei", ".krn", ".abc", ".json"]),
    st.booleans(),
)
def test_any_bytes(tmp_path: Path, data: bytes, ending: str, is_packed: bool) -> None:
    if is_packed and ending == ".mxl":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("x.xml", data)
        data = packed.getvalue()
    check_reads_or_refuses(tmp_path / f"x{ending}", data)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(EDITS, min_size=1, max_size=3))
def test_damaged_archives(tmp_path: Path, edits: list[tuple[int, str, bytes, int]]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="x.xml"/></rootfiles></container>',
        )
        archive.writestr("x.xml", SEEDS[-1][1])
    check_reads_or_refuses(tmp_path / "x.mxl", apply_edits(packed.getvalue(), edits))
