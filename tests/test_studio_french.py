"""French sentences: every one that a motet, a technique or a refused request says has its own."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from seqmusic.errors import SeqmusicError
from seqmusic.formats.theme import parse_theme
from seqmusic.recognition.techniques.sentences import sentences
from seqmusic.recognition.techniques.techniques import find_techniques
from seqmusic.studio.french import french
from seqmusic.studio.french_errors import ERRORS
from seqmusic.studio.french_sentences import MOTETS, TECHNIQUES
from seqmusic.transformation.motet_description import motet_sentences
from seqmusic.transformation.motet_plan import MotetSettings
from seqmusic.transformation.planning import plan_motet

PAGE = Path(__file__).resolve().parent.parent / "seqmusic/studio/page"
TUNE = "D4 E4 F4 G4 | A4 G4 F4 E4 | F4 D4 E4 D4"


@pytest.mark.parametrize(
    "settings",
    [
        MotetSettings(),
        MotetSettings(voices=3, hocket=True, introitus=4),
        MotetSettings(iso="all", talea="o-canenda", sections="1,1/2", notes=9),
    ],
)
def test_every_sentence_about_a_plan(settings: MotetSettings) -> None:
    found = list(motet_sentences(plan_motet(parse_theme(TUNE), settings)))
    assert [text for text in found if not french(text)] == []


def test_sentences_about_techniques() -> None:
    theme = "C4:1/4 D4 E4 F4 | G4 E4 A4 B4 | C5 A4 F4 G4 | E4 F4 D4 C4"
    canon = parse_theme([f"{theme} | R:1", f"R:1 | {theme}"])
    found = sentences(canon, find_techniques(canon))
    assert any(text.startswith("Imitation") for text in found)
    assert [text for text in found if not french(text)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Canon: Tenor follows Bass after 1.5 quarters, a fourth and an octave below, for 9 "
            "notes (80% of Bass).",
            "Canon : Ténor suit Basse après 1,5 noire, à une quarte et une octave au-dessous, sur "
            "9 notes (80 % de Basse).",
        ),
        (
            "It is put into the compass of a tenor: 1 octave and 2 semitones down.",
            "Elle est placée dans l'ambitus du ténor : 1 octave et 2 demi-tons vers le bas.",
        ),
        (
            "Tenor: talea of 36 quarters (10 notes and 2 rests), sung 4 + 2 times, in the "
            "proportions 2 : 1; color of 16 notes, sung 3 times.",
            "Ténor : talea de 36 noires (notes : 10, silences : 2), chantée 4 + 2 fois, dans les "
            "proportions 2 : 1 ; color de 16 notes, chantée 3 fois.",
        ),
        (
            "the soprano ends on C#5, not on a note of the tonic chord of Bb major: no cadence",
            "La voix soprano finit sur do♯5, hors de l'accord de tonique de si♭ majeur : pas de "
            "cadence",
        ),
    ],
)
def test_parts_of_a_sentence_are_in_french_too(text: str, expected: str) -> None:
    assert french(text) == expected


@pytest.mark.parametrize(
    ("theme", "expected"),
    [
        ("G4 zb4", "Signe 2 « zb4 », caractère 4 : on attend une hauteur"),
        ("C4 D4:9x", "on attend une valeur"),
        ("C4 | D4 | E4:1", "Mesure 1 : elle contient 1/4 pour 4/4"),
        ("", "Le thème n'a pas de note"),
    ],
)
def test_mistakes_in_a_theme(theme: str, expected: str) -> None:
    with pytest.raises(SeqmusicError) as error:
        parse_theme(theme)
    assert expected in french(str(error.value))


def test_every_word_of_the_page_is_in_both_languages() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(PAGE.glob("*.js")))
    used = set(re.findall(r"""\bt\("(\w+)\"""", text))
    texts = {
        language: set(re.findall(r'\b(\w+): "', "".join(parts)))
        for language, parts in _parts_by_language(text).items()
    }
    assert len(used) > 80
    assert used - texts["en"] == set()
    assert used - texts["fr"] == set()


def _parts_by_language(text: str) -> dict[str, list[str]]:
    """The words of the page and of its tabs."""
    main = re.search(r"const EN = \{(.*?)\n\};.*?const FR = \{(.*?)\n\};", text, re.DOTALL)
    assert main
    return {
        "en": [main[1], *re.findall(r"^  en: \{(.*)\},$", text, re.MULTILINE)],
        "fr": [main[2], *re.findall(r"^  fr: \{(.*)\},$", text, re.MULTILINE)],
    }


def test_templates_use_only_the_groups_of_their_patterns() -> None:
    for pattern, template in itertools.chain(ERRORS, MOTETS, TECHNIQUES):
        used = [int(number) for number in re.findall(r"\{(\d+)\}", template)]
        assert max(used, default=0) <= re.compile(pattern).groups, pattern
