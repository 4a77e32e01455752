"""The lesson says the same in both languages, and names what is there."""

import re
from pathlib import Path

import pytest

from seqmusic.runs.configuration import read_configuration

DOCS = Path(__file__).resolve().parent.parent / "docs"
ENGLISH, FRENCH = (
    (DOCS / name).read_text(encoding="utf-8") for name in ("lesson.md", "lesson.fr.md")
)


def blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_both_languages_have_the_same_commands_and_outputs() -> None:
    assert blocks(ENGLISH) == blocks(FRENCH)
    assert len(blocks(ENGLISH)) > 10


def test_both_glossaries_point_to_the_same_places() -> None:
    assert re.findall(r"^## ", ENGLISH, re.MULTILINE) == re.findall(r"^## ", FRENCH, re.MULTILINE)
    knobs = [
        sorted(set(re.findall(r"`((?:--)?(?:model|training)\.\w+)", text)))
        for text in (ENGLISH, FRENCH)
    ]
    assert knobs[0] == knobs[1]


@pytest.mark.parametrize(
    "knob", sorted(set(re.findall(r"`(?:--)?((?:model|training)\.\w+)", ENGLISH)))
)
def test_each_knob_of_the_glossary_is_a_key_of_the_configuration(knob: str) -> None:
    table, key = knob.split(".")
    assert hasattr(getattr(read_configuration(None, {}), table), key)
