"""Sessions as values: undo and redo are inverse, data come back, files find only known ids."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.formats.theme import parse_theme
from seqmusic.studio.session import (
    MAX_HISTORY,
    MAX_SHOWN,
    Alternative,
    Piece,
    Session,
    data_to_session,
    session_to_data,
)
from seqmusic.studio.session_files import MAX_SESSIONS, SessionFiles, UnknownSessionError

PIECES = [Piece(score=parse_theme(f"{pitch} {pitch + 2}")) for pitch in range(60, 70)]
ALTERNATIVE = Alternative(
    score=PIECES[1].score, given=PIECES[0].score, bits_per_note=1.5, settings={"seed": 3}
)


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=20), st.integers(0, 25))
def test_undo_and_redo_are_inverse(pieces: list[Piece], n_steps: int) -> None:
    session = Session(present=PIECES[0])
    for piece in pieces:
        session = session.changed(piece)
    last = session
    n_steps = min(n_steps, len(session.past))
    for _ in range(n_steps):
        session = session.undone()
    for _ in range(n_steps):
        session = session.redone()
    assert session == last


def test_a_change_after_undo_forgets_what_was_undone() -> None:
    session = Session(present=PIECES[0]).changed(PIECES[1]).undone().changed(PIECES[2])
    assert session.redone() is session
    assert session.undone().present == PIECES[0]
    assert session.changed(PIECES[2]) is session


def test_history_and_alternatives_are_bounded() -> None:
    session = Session(present=PIECES[0])
    for index in range(2 * MAX_HISTORY):
        session = session.changed(PIECES[index % 2])
    for _ in range(2 * MAX_SHOWN):
        session = session.with_alternative(ALTERNATIVE, is_first=False)
    assert len(session.past) == MAX_HISTORY
    assert len(session.alternatives) == MAX_SHOWN
    assert len(session.with_alternative(ALTERNATIVE, is_first=True).alternatives) == 1


def test_plain_data_come_back() -> None:
    piece = Piece(score=PIECES[1].score, given=PIECES[0].score, frozen=frozenset({(0, 1)}))
    session = Session(present=PIECES[0]).changed(piece).changed(PIECES[2]).undone()
    session = session.with_alternative(ALTERNATIVE, is_first=True)
    assert data_to_session(session_to_data(session)) == session


def test_sessions_outlive_the_server(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path / "sessions")
    name = files.new(Session(present=PIECES[0]))
    files.replace(name, Session(present=PIECES[3]))
    assert SessionFiles(tmp_path / "sessions").read(name).present == PIECES[3]


def test_an_id_is_never_a_path(tmp_path: Path) -> None:
    files = SessionFiles(tmp_path / "sessions")
    files.new(Session(present=PIECES[0]))
    (tmp_path / "secret.json").write_text("{}")
    for name in ("../secret", "/etc/passwd", "..", ""):
        with pytest.raises(UnknownSessionError, match="unknown here"):
            files.read(name)
        files.replace(name, Session(present=PIECES[0]))
    assert (tmp_path / "secret.json").read_text() == "{}"


def test_a_damaged_file_is_refused_and_old_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "damaged.json").write_text('{"present": 3}')
    with pytest.raises(UnknownSessionError, match="damaged"):
        SessionFiles(tmp_path).read("damaged")
    assert MAX_SESSIONS >= 100
    monkeypatch.setattr("seqmusic.studio.session_files.MAX_SESSIONS", 2)
    files = SessionFiles(tmp_path)
    for _ in range(4):
        files.new(Session(present=PIECES[0]))
    assert len(list(tmp_path.glob("*.json"))) == 2
