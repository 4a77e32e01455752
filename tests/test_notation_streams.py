"""Each notation format by hand, and files that are not to be trusted."""

from __future__ import annotations

import pytest
from notation_texts import musicxml, note, read

from seqmusic.errors import CorruptFileError, FormatError
from seqmusic.formats import read_score, timeout
from seqmusic.formats.notation import streams
from seqmusic.score import Key, Note, TimeSignature


def test_abc(tmp_path):
    """An upbeat of an eighth in 6/8, D major (F and C sharp), a dotted quarter at the end."""
    score = read("X:1\nT:A tune\nM:6/8\nL:1/8\nK:D\nA|def d2c|d3-d2|]\n", tmp_path, ".abc")
    assert (score.title, score.key, score.pickup_ticks) == ("A tune", Key(2, "major"), 12)
    assert score.time_signatures == ((0, TimeSignature(6, 8)),)
    expected = [
        (0, 12, 69),
        (12, 12, 74),
        (24, 12, 76),
        (36, 12, 78),
        (48, 24, 74),
        (72, 12, 73),
        (84, 60, 74),
    ]
    assert [(n.onset_ticks, n.duration_ticks, n.pitch) for n in score.voices[0].notes] == expected


def test_abc_of_several_tunes_is_refused(tmp_path):
    tune = "T:A tune\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
    with pytest.raises(FormatError, match="holds 2 tunes; split it"):
        read(f"X:1\n{tune}\nX:2\n{tune}", tmp_path, ".abc")


def test_voices_of_an_abc_file(tmp_path):
    found = read("X:1\nM:4/4\nL:1/4\nK:C\nV:1\ncdef|\nV:2\nCDEF|\n", tmp_path, ".abc")
    assert [[n.pitch for n in voice.notes] for voice in found.voices] == [
        [72, 74, 76, 77],
        [60, 62, 64, 65],
    ]


MEI = """<?xml version="1.0" encoding="UTF-8"?>
<mei xmlns="http://www.music-encoding.org/ns/mei"><music><body><mdiv><score>
<scoreDef meter.count="3" meter.unit="4" key.sig="1s"><staffGrp>
<staffDef n="1" lines="5" clef.shape="G" clef.line="2"/>
<staffDef n="2" lines="5" clef.shape="F" clef.line="4"/>
</staffGrp></scoreDef><section><measure n="1">
<staff n="1"><layer n="1"><note pname="g" oct="4" dur="2"/>
<note pname="f" oct="4" dur="4" accid.ges="s"/></layer></staff>
<staff n="2"><layer n="1"><note pname="b" oct="3" dur="2" dots="1"/></layer>
<layer n="2"><note pname="g" oct="2" dur="2" dots="1"/></layer></staff>
</measure></section></score></mdiv></body></music></mei>"""


def test_mei(tmp_path):
    """Two staves, the lower with two layers, in 3/4 and G major."""
    found = read(MEI, tmp_path, ".mei")
    assert (found.key, found.time_signatures) == (Key(1), ((0, TimeSignature(3, 4)),))
    assert [
        [(n.onset_ticks, n.duration_ticks, n.pitch) for n in voice.notes] for voice in found.voices
    ] == [
        [(0, 48, 67), (48, 24, 66)],
        [(0, 72, 59)],
        [(0, 72, 43)],
    ]


def test_kern(tmp_path):
    """Two spines, the lower one first as kern has it; measure 2 is one beat long."""
    lines = [
        "**kern\t**kern",
        "*k[f#]\t*k[f#]",
        "*G:\t*G:",
        "*M2/4\t*M2/4",
        "=1\t=1",
        "2G\t4g",
        ".\t[4b",
    ]
    lines += ["=2\t=2", "4G;\t4b];", "==\t==", "*-\t*-"]
    score = read("\n".join(lines) + "\n", tmp_path, ".krn")
    assert score.key == Key(1, "major")
    assert [voice.notes for voice in score.voices] == [
        (Note(0, 24, 67), Note(24, 48, 71, fermata=True)),
        (Note(0, 48, 55), Note(48, 24, 55, fermata=True)),
    ]


def test_entities_are_not_expanded(tmp_path):
    entities = '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">'
    bomb = f"<!DOCTYPE x [{entities}]><score-partwise>&b;</score-partwise>"
    for encoding in ("utf-8", "utf-16"):
        path = tmp_path / "bomb.xml"
        path.write_bytes(f'<?xml version="1.0" encoding="{encoding}"?>{bomb}'.encode(encoding))
        with pytest.raises(CorruptFileError, match=r"bomb\.xml: declares XML entities"):
            read_score(path)


def test_depth_and_number_of_elements_are_bounded(tmp_path):
    path = tmp_path / "deep.musicxml"
    path.write_text("<a>" * 101 + "</a>" * 101, encoding="utf-8")
    with pytest.raises(CorruptFileError, match="elements stand 101 deep"):
        read_score(path)
    path.write_text("<a>" + "<b/>" * 1_000_000 + "</a>", encoding="utf-8")
    with pytest.raises(FormatError, match="more than 1,000,000 elements"):
        read_score(path)


def test_the_document_type_of_musicxml_is_accepted(tmp_path):
    public_id = '"-//Recordare//DTD MusicXML 4.0 Partwise//EN"'
    system_id = '"http://www.musicxml.org/dtds/partwise.dtd"'
    doctype = f"<!DOCTYPE score-partwise PUBLIC {public_id} {system_id}>"
    text = musicxml([note("C", 4)]).replace(
        '<?xml version="1.0"?>', f'<?xml version="1.0"?>{doctype}'
    )
    assert read(text, tmp_path).n_notes == 1
    with pytest.raises(CorruptFileError, match="undefined entity"):
        read(text.replace("Part 0", "&outside;"), tmp_path)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the first call may come in a callback
def test_what_takes_too_long_is_stopped(tmp_path, monkeypatch):
    """No short file is known that music21 works on for hours; so here the time limit is short."""
    monkeypatch.setattr(streams, "_MAX_SECONDS", 0.05)
    monkeypatch.setattr(timeout, "_RETRY_SECONDS", 0.05)
    start, end = MEI.index("<measure"), MEI.index("</section>")
    long_text = MEI[:start] + MEI[start:end] * 3000 + MEI[end:]
    with pytest.raises(FormatError, match="not read within 0 seconds"):
        read(long_text, tmp_path, ".mei")


@pytest.mark.parametrize(
    ("name", "data", "match"),
    [
        ("cut.musicxml", musicxml([note("C", 4)])[:300].encode(), "not readable as MusicXML"),
        ("other.musicxml", b"<opus/>", "its root is <opus>, expected <score-partwise>"),
        ("empty.musicxml", b"", "not readable as MusicXML"),
        (
            "no_parts.musicxml",
            b"<score-partwise><part-list/></score-partwise>",
            "no parts|not readable",
        ),
        ("empty.mxl", b"", "not readable as a compressed"),
        ("text.mxl", b"hello", "not readable as a compressed"),
        (
            "long.musicxml",
            musicxml([note("C", 4)]).replace("<beats>4", "<beats>1000000").encode(),
            "at most 64 is read",
        ),
        ("long.abc", b"X:1\nM:1000000/4\nK:C\nC|\n", "at most 64 is read"),
        ("empty.krn", b"", "not readable as kern|holds"),
        ("empty.mei", b"<mei/>", "its root is <mei>, expected"),
        (
            "no_score.mei",
            b'<mei xmlns="http://www.music-encoding.org/ns/mei"/>',
            "not readable as MEI",
        ),
        ("long.abc", b"X:1\nK:C\n" + b"C" * 200_000, "is longer than 0.2 MB"),
        ("song.mp3", b"", "'.mp3' files are not read"),
    ],
)
def test_damaged_files_are_refused_in_one_line(name, data, match, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(FormatError, match=match) as caught:
        read_score(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
