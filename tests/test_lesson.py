"""The lesson is the same in both languages, and its settings exist."""

import re
from pathlib import Path

import pytest

from seqmusic.runs.configuration import read_configuration

DOCS = Path(__file__).resolve().parent.parent / "docs"
ENGLISH, FRENCH = (
    (DOCS / name).read_text(encoding="utf-8") for name in ("lesson.md", "lesson.fr.md")
)
SETTING = r"`(?:--)?((?:model|training)\.\w+)"


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_both_languages_have_the_same_commands_and_outputs() -> None:
    assert code_blocks(ENGLISH) == code_blocks(FRENCH)
    assert len(code_blocks(ENGLISH)) > 10


def test_both_languages_have_the_same_sections_and_settings() -> None:
    assert len(re.findall(r"^## ", ENGLISH, re.MULTILINE)) == len(
        re.findall(r"^## ", FRENCH, re.MULTILINE)
    )
    assert set(re.findall(SETTING, ENGLISH)) == set(re.findall(SETTING, FRENCH))


@pytest.mark.parametrize("setting", sorted(set(re.findall(SETTING, ENGLISH))))
def test_each_setting_of_the_lesson_is_a_key_of_the_configuration(setting: str) -> None:
    table, key = setting.split(".")
    assert hasattr(getattr(read_configuration(None, {}), table), key)
