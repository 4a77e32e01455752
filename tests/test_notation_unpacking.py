"""Compressed MusicXML files."""

from __future__ import annotations

import zipfile

import pytest

from seqmusic.errors import CorruptFileError
from seqmusic.formats.notation.file import read_notation
from seqmusic.formats.notation.writing import musicxml_text
from seqmusic.score import Note, melody


def test_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.mxl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", b" " * 20_000_001)
    with pytest.raises(CorruptFileError, match="unpacks to more than 20 MB"):
        read_notation(path)
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1001):
            archive.writestr(f"{number}.xml", b"")
    with pytest.raises(CorruptFileError, match="packs more than 1000 files"):
        read_notation(path)


def test_compressed_file_is_found_through_its_container(tmp_path):
    path, score = tmp_path / "score.mxl", melody([Note(0, 96, 60)])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="b.xml"/></rootfiles></container>',
        )
        archive.writestr("a.xml", "<nothing/>")
        archive.writestr("b.xml", musicxml_text(score))
    assert read_notation(path) == score
