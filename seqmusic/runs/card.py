"""The model card of a folder: what the model is, what it was trained on, and what it reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from seqmusic.atomic_files import write_atomic
from seqmusic.corpus.training_corpus import TrainingCorpus
from seqmusic.runs.configuration import Configuration, configuration_text

CARD_FILE = "card.md"


def write_card(folder: Path, title: str, blocks: Iterable[str]) -> str:
    """Write and return the model card: a title, and blocks of Markdown.

    Raises:
        FormatError: the file cannot be written.
    """
    text = "\n\n".join([f"# {title}", *blocks]) + "\n"
    write_atomic(folder / CARD_FILE, text)
    return text


def write_run_card(
    folder: Path, configuration: Configuration, corpus: TrainingCorpus, facts: Mapping[str, str]
) -> str:
    """Write and return the model card of a run.

    Raises:
        FormatError: the file cannot be written.
    """
    sizes = ", ".join(f"{corpus.n_works(name)} {name}" for name in ("train", "valid", "test"))
    blocks = [
        "Trained on the training works listed in works.csv.",
        bullet_list(
            [
                f"works: {sizes} (works.csv); the test part was not looked at",
                *(f"{name}: {fact}" for name, fact in facts.items()),
            ]
        ),
        code_block(configuration_text(configuration).strip(), "toml"),
    ]
    return write_card(folder, "Model card", blocks)


def bullet_list(items: Iterable[str]) -> str:
    """The items as a list.

    >>> bullet_list(["one", "two"])
    '- one\\n- two'
    """
    return "\n".join(f"- {item}" for item in items)


def code_block(text: str, language: str = "") -> str:
    """The text as it is, in a typewriter face.

    >>> code_block("a = 1", "toml")
    '```toml\\na = 1\\n```'
    """
    return f"```{language}\n{text}\n```"


def card_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows as a table.

    >>> card_table(["part", "pieces"], [["test", "77"]])
    '| part | pieces |\\n|---|---|\\n| test | 77 |'
    """
    lines = [columns, *rows]
    head, *body = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join([head, "|" + "---|" * len(columns), *body])
