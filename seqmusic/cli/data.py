"""seqmusic data: the corpus, and what the model is shown of it."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from seqmusic.cli.arguments import read_theme, refuse_full

app = App(
    name="data",
    help="The corpus: prepare it, describe it, see what was dropped and what the model is shown.\n\n"
    "For example: seqmusic data describe",
    help_format="plaintext",
    result_action="return_value",
)


@app.command
def prepare(*, out: Path | None = None) -> None:
    """Read the chorales, clean and split them, and keep them in the cache.

    For example: seqmusic data prepare

    Args:
        out: A new folder for a copy that you can look at and change: scores.npz and the table works.csv.
    """
    from seqmusic.corpus.chorales import cache_file, load_chorales
    from seqmusic.corpus.storage import save_dataset

    if out is not None:
        refuse_full(out)
    dataset = load_chorales()
    parts = ", ".join(f"{split} {len(dataset.part(split))}" for split in ("train", "valid", "test"))
    print(f"{len(dataset.kept)} of {len(dataset.works)} works kept ({parts}), {len(dataset.families)} tune families")
    print(f"in {save_dataset(dataset, out) if out is not None else cache_file()}")


@app.command
def describe(*, plot: Path | None = None) -> None:
    """Describe the corpus: parts, voices, lengths, keys, time signatures, durations, tune families.

    For example: seqmusic data describe --plot chorales.png

    Args:
        plot: Also draw it, into a .png, .svg or .pdf.
    """
    from seqmusic.corpus.chorales import load_chorales
    from seqmusic.corpus.description import describe as described

    dataset = load_chorales()
    print(described(dataset), end="")
    if plot is not None:
        from seqmusic.corpus.plot import plot as draw

        print(f"\nDrawn in {draw(dataset, plot)}")


@app.command
def clean() -> None:
    """List each work that the cleaning drops, with the reason.

    For example: seqmusic data clean
    """
    from seqmusic.corpus.chorales import load_chorales
    from seqmusic.corpus.description import cleaning_report

    print(cleaning_report(load_chorales()), end="")


@app.command
def tokens(score: str, /, *, grid: str | None = None) -> None:
    """Print a piece as the model sees it, one event a line: number, tick, voice, what, how many ticks.

    For example: seqmusic data tokens "G4 A4 B4 C5 | D5:1/2 B4"

    Args:
        score: A typed head, or a file (MIDI, MusicXML, kern, ABC).
        grid: Of a played file (MIDI), the grid that its notes are moved to: 1/16, or 1/8t for triplets.
    """
    from seqmusic.tokens.tokenizer import encode, tokens_text

    for line in tokens_text(encode(read_theme([score], grid=grid))):
        print(line)
