"""What was found, in words: all texts about techniques stand here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from seqmusic.recognition.techniques.cantus_firmus import CantusFirmus
from seqmusic.recognition.techniques.ground_bass import Ostinato
from seqmusic.recognition.techniques.imitation import Imitation
from seqmusic.recognition.techniques.isorhythm import Isorhythm
from seqmusic.recognition.techniques.sections import TaleaSection
from seqmusic.recognition.techniques.techniques import Techniques
from seqmusic.recognition.techniques.texture import Texture
from seqmusic.score import TICKS_PER_QUARTER, Score

_INTERVALS = (
    *("unison", "minor second", "second", "minor third", "third", "fourth", "tritone", "fifth"),
    *("minor sixth", "sixth", "minor seventh", "seventh", "octave"),
)
_MIXED = "between homophony and polyphony"
_OF_THE_WHOLE = ("homophony", "polyphony", _MIXED)


@dataclass(frozen=True, slots=True)
class TechniqueRow:
    """One technique as a row of a table.

    Attributes:
        technique: its name.
        voices: names of the voices.
        bars: first and last, as printed; None where no meter is known.
        sentence: what was found, in plain English.
        bits: how much information speaks for it; None where none is measured.
    """

    technique: str
    voices: tuple[str, ...]
    bars: tuple[int, int] | None
    sentence: str
    bits: float | None

    @property
    def text(self) -> str:
        """The sentence with its bars; without them where it is about the whole score.

        >>> TechniqueRow("canon", ("Alto",), (3, 9), "A canon.", 130.0).text
        'A canon, bars 3 to 9.'
        """
        if self.bars is None or self.technique in _OF_THE_WHOLE:
            return self.sentence
        return f"{self.sentence.removesuffix('.')}, bars {self.bars[0]} to {self.bars[1]}."


def technique_rows(score: Score, found: Techniques) -> list[TechniqueRow]:
    """A row for each technique found, the rarest techniques first."""
    names = tuple(voice.name for voice in score.voices)
    bars = _BarNumbers(score)
    rows = [_isorhythm_row(one, bars, score) for one in found.isorhythms]
    if found.is_panisorhythmic:
        rows.append(_panisorhythm_row(found.isorhythms, bars, names))
    rows += [_imitation_row("canon", one, bars, names) for one in found.canons]
    rows += [_ostinato_row(one, bars, names) for one in found.ostinatos]
    if found.cantus_firmus is not None:
        rows.append(_cantus_firmus_row(found.cantus_firmus, bars, names))
    rows += [_imitation_row("imitation", one, bars, names) for one in found.imitations]
    if found.texture is not None:
        rows.append(_texture_row(found.texture, bars, score))
    return rows


def sentences(score: Score, found: Techniques) -> list[str]:
    """What was found, a sentence for each technique, with its bars."""
    return [row.text for row in technique_rows(score, found)]


def techniques_to_data(score: Score, found: Techniques) -> list[dict[str, object]]:
    """The rows as plain data, as JSON holds them."""
    return [
        {
            "technique": row.technique,
            "voices": list(row.voices),
            "bars": row.bars and list(row.bars),
            "sentence": row.sentence,
            "bits": row.bits and round(row.bits, 1),
        }
        for row in technique_rows(score, found)
    ]


def proportions_text(values: Sequence[Fraction | int]) -> str:
    """Lengths in proportion, in lowest terms.

    >>> proportions_text([Fraction(1), Fraction(1, 2)]), proportions_text([144, 132, 88])
    ('2 : 1', '36 : 33 : 22')
    """
    scale = lcm(*(Fraction(value).denominator for value in values))
    whole = [int(value * scale) for value in values]
    divisor = gcd(*whole)
    return " : ".join(str(value // divisor) for value in whole)


def quarters_text(ticks: int) -> str:
    """A length in quarters.

    >>> quarters_text(24), quarters_text(36)
    ('1 quarter', '1.5 quarters')
    """
    quarters = ticks / TICKS_PER_QUARTER
    return f"{quarters:g} quarter{'s' * (quarters != 1)}"


class _BarNumbers:
    """The bars of a score, by tick."""

    def __init__(self, score: Score) -> None:
        self._bars = score.bars()

    def __call__(self, first_tick: int, end_ticks: int) -> tuple[int, int] | None:
        """Numbers of the first and last bar of a span; None without a meter."""
        inside = [
            bar.number
            for bar in self._bars
            if bar.onset_ticks < end_ticks and bar.end_ticks > first_tick
        ]
        return (inside[0], inside[-1]) if inside else None


def _isorhythm_row(one: Isorhythm, bars: _BarNumbers, score: Score) -> TechniqueRow:
    technique = "isorhythm" if one.sections else "mensural transformation"
    return TechniqueRow(
        technique=technique,
        voices=(one.name,),
        bars=bars(one.first_tick, one.end_ticks),
        sentence=f"{technique.capitalize()}, {isorhythm_sentence(one, score)}",
        bits=one.bits,
    )


def isorhythm_sentence(one: Isorhythm, score: Score) -> str:
    """Taleae, proportions and color of one voice."""
    parts = [*_talea_parts(one), *_color_parts(one, score)]
    return f"{one.name}: {'; '.join(parts)}."


def _talea_parts(one: Isorhythm) -> Iterator[str]:
    for label in dict.fromkeys(section.label for section in one.sections):
        sections = [section for section in one.sections if section.label == label]
        first = sections[0]
        letter = f" {label}" if len(one.taleae) > 1 else ""
        n_rests = sum(value.is_rest for value in first.talea)
        rests = f" and {n_rests} rest{'s' * (n_rests != 1)}" if n_rests else ""
        text = (
            f"talea{letter} of {quarters_text(first.talea_ticks)} "
            f"({len(first.talea) - n_rests} notes{rests}), sung {_times_text(sections)}"
        )
        if len(sections) > 1:
            text += f", in the proportions {proportions_text([s.proportion for s in sections])}"
        yield text


def _times_text(sections: Sequence[TaleaSection]) -> str:
    counts = [f"{float(round(section.n_taleae, 1)):g}" for section in sections]
    return f"{' + '.join(counts)} times"


def _color_parts(one: Isorhythm, score: Score) -> Iterator[str]:
    if one.color is None:
        return
    text = f"color of {one.color_length_notes} notes, sung {one.n_colores} times"
    if not one.sections:
        lengths = ", ".join(f"{ticks / TICKS_PER_QUARTER:g}" for ticks in one.color_durations)
        text += f" in other values, in {lengths} quarters"
        meters = [_meter_at(score, tick) for tick in one.color_ticks]
        if len(set(meters)) > 1:
            text += f", under {', '.join(meters)}"
    yield text


def _meter_at(score: Score, tick: int) -> str:
    before = [signature for onset, signature in score.time_signatures if onset <= tick]
    return str(before[-1]) if before else ""


def _panisorhythm_row(
    found: Sequence[Isorhythm], bars: _BarNumbers, names: tuple[str, ...]
) -> TechniqueRow:
    lengths = set.intersection(*({s.talea_ticks for s in one.sections} for one in found))
    first, end = min(one.first_tick for one in found), max(one.end_ticks for one in found)
    return TechniqueRow(
        technique="panisorhythm",
        voices=names,
        bars=bars(first, end),
        sentence=(
            f"Panisorhythm: all {len(names)} voices repeat their rhythm after "
            f"{quarters_text(max(lengths))}."
        ),
        bits=sum(one.bits for one in found),
    )


def _imitation_row(
    technique: str, one: Imitation, bars: _BarNumbers, names: tuple[str, ...]
) -> TechniqueRow:
    leader, follower = names[one.leader], names[one.follower]
    verb = "follows" if technique == "canon" else "imitates"
    return TechniqueRow(
        technique=technique,
        voices=(leader, follower),
        bars=bars(one.first_tick, one.end_ticks),
        sentence=(
            f"{technique.capitalize()}: {follower} {verb} {leader} after "
            f"{quarters_text(one.lag_ticks)}, {interval_text(one.semitones)}, for "
            f"{one.n_notes} notes ({one.share:.0%} of {leader})."
        ),
        bits=one.bits,
    )


def interval_text(semitones: int) -> str:
    """At which interval a voice follows.

    >>> interval_text(0), interval_text(7), interval_text(-12), interval_text(-17)
    ('at the unison', 'a fifth above', 'an octave below', 'a fourth and an octave below')
    """
    if semitones == 0:
        return "at the unison"
    octaves, rest = divmod(abs(semitones), 12)
    names = [_INTERVALS[rest]] if rest else []
    names += ["octave"] if octaves == 1 else []
    names = [f"{'an' if name == 'octave' else 'a'} {name}" for name in names]
    names += [f"{octaves} octaves"] if octaves > 1 else []
    return f"{' and '.join(names)} {'above' if semitones > 0 else 'below'}"


def _ostinato_row(one: Ostinato, bars: _BarNumbers, names: tuple[str, ...]) -> TechniqueRow:
    technique = "ground bass" if one.is_lowest else "ostinato"
    return TechniqueRow(
        technique=technique,
        voices=(names[one.voice],),
        bars=bars(one.first_tick, one.end_ticks),
        sentence=(
            f"{technique.capitalize()}: {names[one.voice]} repeats "
            f"{quarters_text(one.cycle_ticks)}, {one.n_statements} times."
        ),
        bits=one.bits,
    )


def _cantus_firmus_row(
    one: CantusFirmus, bars: _BarNumbers, names: tuple[str, ...]
) -> TechniqueRow:
    sentence = (
        f"Cantus firmus: {names[one.voice]} moves {one.slowness:.1f} times as slowly as the others"
    )
    if one.tune:
        sentence += f" and sings {one.tune} (edit distance {one.distance:.2f})"
    return TechniqueRow(
        technique="cantus firmus",
        voices=(names[one.voice],),
        bars=bars(one.first_tick, one.end_ticks),
        sentence=f"{sentence}.",
        bits=None,
    )


def _texture_row(texture: Texture, bars: _BarNumbers, score: Score) -> TechniqueRow:
    name = _MIXED if texture.name == "mixed" else texture.name
    return TechniqueRow(
        technique=name,
        voices=tuple(voice.name for voice in score.voices),
        bars=bars(0, score.end_ticks),
        sentence=(
            f"{name.capitalize()}: at {texture.common_onsets:.0%} of the onsets "
            f"{'both' if len(score.voices) == 2 else 'three voices or more'} begin together."
        ),
        bits=None,
    )
