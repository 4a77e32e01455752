"""The voices of an ABC tune, each with the fields and the music that belong to it.

A voice goes on after a line `V:1`, or after `[V:1]` inside a line; voices may also stand one over
the other in a measure, with `&` between them.

Source: the ABC standard 2.1, sections 7 (multiple voices) and 7.4 (voice overlay).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from seqmusic.formats.abc.tokens import BAR_LINE, INLINE_FIELD, QUOTED

_TOKEN = re.compile(rf"{QUOTED}|{INLINE_FIELD}|{BAR_LINE}|&|\n|.", re.DOTALL)
_NOT_NOTES = re.compile(rf"{QUOTED}|{INLINE_FIELD}")
_FIELD = re.compile(r"([A-Za-z]):\s*(.*)")
_TEXT_FIELDS = "wWs"
_SPLIT_AT_VOICES = re.compile(r"(?=\[V:)")
_REST = "x"  # invisible; the notes of other voices give the length of the measure


@dataclass(frozen=True, kw_only=True)
class AbcVoice:
    """One voice of a tune.

    Attributes:
        name: as given in its field V, else its identifier; empty for the only voice.
        definition: the whole text of its field V.
        music: its lines, with the fields between them in brackets.
        n_notes: notes in its music, grace notes among them.
    """

    name: str
    definition: str
    music: str
    n_notes: int


@dataclass(frozen=True, kw_only=True)
class AbcTune:
    """A tune.

    Attributes:
        header: its fields up to K, each a letter and a text.
        voices: those that have notes, in the order in which they are declared.
        n_word_lines: lines of words under the notes and at the end.
    """

    header: list[tuple[str, str]]
    voices: list[AbcVoice]
    n_word_lines: int


@dataclass(slots=True)
class _Body:
    """Where the music of each voice is collected.

    Attributes:
        definitions: fields V by identifier, in the order in which the voices are named first.
        lines: music and fields by identifier.
        shared: fields before the first voice, which hold for all.
        current: identifier of the voice that the music belongs to; None before the first.
        n_word_lines: lines of words.
    """

    definitions: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    current: str | None = None
    n_word_lines: int = 0

    def declare(self, definition: str) -> str:
        """Note a field V and return the identifier of its voice."""
        identifier, *rest = definition.split(maxsplit=1) or [""]
        known = self.definitions.get(identifier, "")
        self.definitions[identifier] = " ".join([known, *rest]).strip()
        return identifier

    def add(self, text: str, is_field: bool = False) -> None:
        """Add music, or a field in brackets, to the current voice."""
        if self.current is None and is_field:
            self.shared.append(text)
            return
        if self.current is None:  # music before the first field V is that of the first voice
            self.current = next(iter(self.definitions), "")
            self.definitions.setdefault(self.current, "")
        self.lines.setdefault(self.current, list(self.shared)).append(text)

    def add_line(self, line: str) -> None:
        """Add a line of music, in which voices may change."""
        for piece in _SPLIT_AT_VOICES.split(line):
            if match := re.match(r"\[V:([^\]]*)\]", piece):
                self.current = self.declare(match[1])
                piece = piece[match.end() :]
            if piece.strip():
                self.add(piece.strip())


def split_tune(text: str) -> AbcTune:
    """The header of a tune and its voices.

    Args:
        text: of one tune.

    >>> tune = split_tune("X:1\\nV:a name=Alto\\nK:C\\n[V:s] c2|\\n[V:a] A{B}A|")
    >>> [(voice.name, voice.music, voice.n_notes) for voice in tune.voices]
    [('Alto', 'A{B}A|', 3), ('s', 'c2|', 1)]
    """
    header: list[tuple[str, str]] = []
    body = _Body()
    is_in_header = True
    for line in text.splitlines():
        line = re.sub(r"(?<!\\)%.*", "", line).rstrip()
        match = _FIELD.match(line)
        if not line or (is_in_header and not match):
            continue
        if not match:
            body.add_line(line)
        elif match[1] in _TEXT_FIELDS:
            body.n_word_lines += 1
        elif match[1] == "V":
            identifier = body.declare(match[2])
            body.current = body.current if is_in_header else identifier
        elif is_in_header:
            header.append((match[1], match[2].strip()))
            is_in_header = match[1] != "K"
        else:
            body.add(f"[{match[1]}:{match[2].strip()}]", is_field=True)
    return AbcTune(header=header, voices=list(_voices(body)), n_word_lines=body.n_word_lines)


def _voices(body: _Body) -> Iterator[AbcVoice]:
    for identifier, definition in body.definitions.items():
        named = re.search(r"""\b(?:name|nm)=(?:"([^"]*)"|(\S+))""", definition)
        name = (named[1] or named[2] or "").strip() if named else identifier
        layers = list(_layers("\n".join(body.lines.get(identifier, []))))
        for number, music in enumerate(layers, start=1):
            n_notes = _count_notes(music)
            label = name if len(layers) == 1 else f"{name} {number}".strip()
            if n_notes:
                yield AbcVoice(name=label, definition=definition, music=music, n_notes=n_notes)


def _layers(music: str) -> Iterator[str]:
    """The lines of a voice that stand over each other with `&`; usually the one."""
    tokens = _TOKEN.findall(music)
    if "&" not in tokens:
        yield music
        return
    measures = [
        (is_bar_line, list(run))
        for is_bar_line, run in itertools.groupby(tokens, key=_is_bar_line_or_break)
    ]
    n_layers = max(1 + run.count("&") for _, run in measures)
    for layer in range(n_layers):
        yield "".join(
            "".join(run) if is_bar_line else _layer_of_measure(run, layer)
            for is_bar_line, run in measures
        )


def _is_bar_line_or_break(token: str) -> bool:
    return token == "\n" or re.fullmatch(BAR_LINE, token) is not None


def _layer_of_measure(tokens: list[str], layer: int) -> str:
    runs = [list(run) for is_and, run in itertools.groupby(tokens, "&".__eq__) if not is_and]
    runs += [[]] * (layer + 1 - len(runs))
    if layer == 0:
        return "".join(runs[0])
    fields = "".join(token for token in runs[0] if re.fullmatch(INLINE_FIELD, token))
    music = re.sub(r"\((?![2-9])|\)", "", "".join(runs[layer]))
    is_silent = not music.strip() and "".join(runs[0]).strip()
    return fields + (_REST if is_silent else music)


def _count_notes(music: str) -> int:
    """The notes in music, after fields, chord symbols and decorations are taken away."""
    return len(re.findall(r"[A-Ga-g]", _NOT_NOTES.sub("", music)))
