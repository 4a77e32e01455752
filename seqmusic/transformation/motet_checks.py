"""What a musicologist would check in a motet, each item computed from its notes alone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction

from seqmusic.counterpoint import perfect_parallels
from seqmusic.score import Note, Score, Voice
from seqmusic.transformation.cadences import arrival_pitches, cadences
from seqmusic.transformation.color import TENOR_COMPASS
from seqmusic.transformation.hocket import hocket_spans
from seqmusic.transformation.motet_plan import MotetPlan
from seqmusic.transformation.motet_tables import PERFECT, repeats, role_compass
from seqmusic.transformation.sonorities import TRECENTO_SHARES, sonority_shares
from seqmusic.transformation.tenor_checks import (
    Check,
    color_check,
    contratenor_check,
    proportion_check,
    talea_check,
    tune_check,
)

MIN_SPEED = 3.0
MAX_SHARE_DIFFERENCE = 0.10
_UPPER_ROLES = ("Triplum", "Motetus")


def check_motet(plan: MotetPlan, score: Score, *, is_trecento: bool = False) -> list[Check]:
    """All items of the list for a motet.

    Args:
        plan: what it was composed from.
        score: the motet.
        is_trecento: whether its sonorities must be those of the trecento.
    """
    voices = {voice.name: voice for voice in score.voices}
    found = [
        color_check(plan, voices["Tenor"]),
        tune_check(plan, voices["Tenor"]),
        talea_check(plan, voices["Tenor"]),
        proportion_check(plan, voices["Tenor"]),
        _speed_check(voices),
        _joint_check(plan, voices),
        _sonority_check(voices, is_trecento and _leaves_sonorities_free(plan)),
        _cadence_check(plan, voices),
        _final_check(plan, voices),
        _parallel_check(voices),
        _compass_check(plan, voices),
    ]
    if "Contratenor" in voices:
        found.insert(4, contratenor_check(plan, voices["Contratenor"]))
    if plan.settings.hocket:
        found.append(_hocket_check(plan, voices))
    if plan.settings.iso == "all":
        found.append(_panisorhythm_check(plan, voices))
    return found


def _speed_check(voices: Mapping[str, Voice]) -> Check:
    n_tenor = len(voices["Tenor"].notes)
    speeds = {role: round(len(voices[role].notes) / n_tenor, 2) for role in _UPPER_ROLES}
    text = "To one note of the tenor there are " + " and ".join(
        f"{speed} of the {role.lower()}" for role, speed in speeds.items()
    )
    return Check("speed", min(speeds.values()) >= MIN_SPEED, f"{text}.", speeds)


def _at(voice: Voice, tick: int) -> Note | None:
    return next((n for n in voice.notes if n.onset_ticks <= tick < n.end_ticks), None)


def _joint_check(plan: MotetPlan, voices: Mapping[str, Voice]) -> Check:
    wrong = []
    for index in plan.layout.joints:
        note = voices["Tenor"].notes[index]
        for role in plan.roles[:-1]:
            other = _at(voices[role], note.onset_ticks)
            if other and abs(other.pitch - note.pitch) % 12 not in PERFECT:
                wrong.append((index, role))
    text = "Each talea begins and ends with perfect sonorities above the tenor."
    if wrong:
        text = f"At {len(wrong)} first or last notes of a talea a sonority is not perfect."
    return Check("joints", not wrong, text, {"n_joints": len(plan.layout.joints)})


def _leaves_sonorities_free(plan: MotetPlan) -> bool:
    """Whether few enough notes begin or end a talea, where only perfect sonorities may be."""
    n_joints = len(plan.layout.joints)
    return n_joints <= (TRECENTO_SHARES["perfect"] + 0.05) * len(plan.layout.notes)


def _sonority_check(voices: Mapping[str, Voice], is_trecento: bool) -> Check:
    others = [voice for name, voice in voices.items() if name != "Tenor"]
    shares = sonority_shares(voices["Tenor"].notes, others)
    differences = [abs(shares[kind] - TRECENTO_SHARES[kind]) for kind in shares]
    shown = ", ".join(f"{share:.0%} {kind}" for kind, share in shares.items())
    reference = "/".join(f"{share * 100:.0f}" for share in TRECENTO_SHARES.values())
    passed = max(differences) <= MAX_SHARE_DIFFERENCE if is_trecento else None
    text = f"Above the tenor at its onsets: {shown} (ten motets: {reference})."
    return Check("sonorities", passed, text, {k: round(v, 3) for k, v in shares.items()})


def _cadence_check(plan: MotetPlan, voices: Mapping[str, Voice]) -> Check:
    found = []
    for cadence in cadences(plan):
        goals = []
        for role in _UPPER_ROLES:
            before = _at(voices[role], cadence.arrival_ticks - 1)
            after = _at(voices[role], cadence.arrival_ticks)
            if before and after and after.pitch - before.pitch in (1, 2):
                goals.append((after.pitch - plan.color.pitches[-1]) % 12)
        found.append(sorted(goals) == [0, 7])
    text = f"In all {len(found)} cadences one voice rises to the octave and one to the fifth."
    if not all(found):
        text = f"Of {len(found)} cadences {found.count(False)} lack a leading tone."
    return Check("cadences", all(found), text, {"n_cadences": len(found)})


def _final_check(plan: MotetPlan, voices: Mapping[str, Voice]) -> Check:
    final = voices["Tenor"].notes[-1]
    expected = {role: pitch - final.pitch for role, pitch in arrival_pitches(plan).items()}
    found = {
        role: voices[role].notes[-1].pitch - final.pitch
        for role in expected
        if voices[role].notes[-1].onset_ticks == final.onset_ticks
    }
    degrees = {0: "1", 7: "5", 12: "8", 19: "12"}
    shown = "-".join(["1", *(degrees.get(i, "?") for i in sorted(found.values()))])
    return Check("final", found == expected, f"The last sonority is {shown}.", {"final": shown})


def _parallel_check(voices: Mapping[str, Voice]) -> Check:
    tenor, n_found = voices["Tenor"].notes, 0
    for before, after in itertools.pairwise(tenor):
        for name, voice in voices.items():
            a, b = _at(voice, before.onset_ticks), _at(voice, after.onset_ticks)
            if name == "Tenor" or before.end_ticks < after.onset_ticks or not (a and b):
                continue
            n_found += bool(perfect_parallels(a.pitch, b.pitch, before.pitch, after.pitch))
    text = "No voice makes two equal perfect consonances in succession with the tenor."
    if n_found:
        text = f"{n_found} times a voice makes equal perfect consonances with the tenor."
    return Check("parallels", n_found == 0, text, {"n_parallels": n_found})


def _compass_check(plan: MotetPlan, voices: Mapping[str, Voice]) -> Check:
    outside = []
    for name, voice in voices.items():
        low, high = TENOR_COMPASS if name == "Tenor" else role_compass(plan, name)
        found_low, found_high = voice.compass or (low, high)
        if found_low < low or found_high > high:
            outside.append(f"{name} {found_low}-{found_high}")
    text = "All voices keep the compass of the ten motets."
    if outside:
        text = f"Outside the compass of the ten motets: {', '.join(outside)}."
    is_announced = plan.color.n_outside and all(one.startswith("Tenor") for one in outside)
    passed = not outside or bool(is_announced)
    return Check("compass", passed, text, {n: list(v.compass or ()) for n, v in voices.items()})


def _hocket_check(plan: MotetPlan, voices: Mapping[str, Voice]) -> Check:
    spans = list(hocket_spans(plan))
    wrong = 0
    for start, end, value in spans:
        for tick in range(start, end, value):
            sounding = [_at(voices[role], tick) is not None for role in _UPPER_ROLES]
            wrong += sounding.count(True) != 1
    text = f"The upper voices alternate in {len(spans)} of {len(plan.layout.taleae)} taleae."
    return Check("hocket", bool(spans) and not wrong, text, {"n_hockets": len(spans)})


def _panisorhythm_check(plan: MotetPlan, voices: Mapping[str, Voice]) -> Check:
    wrong = sum(
        _scaled_rhythm(voices[role], one.onset_ticks, one.end_ticks)
        != _scaled_rhythm(
            voices[role],
            one.source_ticks,
            one.source_ticks + int((one.end_ticks - one.onset_ticks) / one.ratio),
            one.ratio,
        )
        for one in repeats(plan)
        for role in _UPPER_ROLES
    )
    text = "The upper voices repeat the rhythm of the first talea in all others."
    if wrong:
        text = f"In {wrong} steps an upper voice has another rhythm than in the first talea."
    return Check("panisorhythm", wrong == 0, text)


def _scaled_rhythm(
    voice: Voice, start: int, end: int, ratio: Fraction = Fraction(1)
) -> list[tuple[Fraction, Fraction]]:
    """Onset and duration of the notes that begin in a span, from its start, in a proportion."""
    return [
        ((note.onset_ticks - start) * ratio, note.duration_ticks * ratio)
        for note in voice.notes
        if start <= note.onset_ticks < end
    ]
