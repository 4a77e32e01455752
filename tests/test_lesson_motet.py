"""The lesson on motets is the same in both languages, and its commands can be parsed."""

import re
import shlex
from pathlib import Path

from seqmusic.cli import app

DOCS = Path(__file__).resolve().parent.parent / "docs"
ENGLISH, FRENCH = (
    (DOCS / name).read_text(encoding="utf-8") for name in ("lesson-motet.md", "lesson-motet.fr.md")
)


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_both_languages_have_the_same_commands_and_outputs() -> None:
    assert code_blocks(ENGLISH) == code_blocks(FRENCH)
    assert len(code_blocks(ENGLISH)) > 8


def test_the_commands_can_be_parsed() -> None:
    commands = re.findall(r"^seqmusic (.*)", "\n".join(code_blocks(ENGLISH)), re.MULTILINE)
    commands = [command for command in commands if command.startswith("transform")]
    assert len(commands) == 5
    for command in commands:
        app.parse_args(shlex.split(command), exit_on_error=False, print_error=False)
