"""seqmusic data: the corpus, and what the model sees of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from seqmusic.cli.arguments import read_theme
from seqmusic.errors import CorpusError

if TYPE_CHECKING:
    from seqmusic.corpus.dataset import Work
    from seqmusic.score import Score

app = App(
    name="data",
    help="The corpus: prepare it, describe it, list dropped works and what the model sees.\n\n"
    "For example: seqmusic data prepare my/scores --out data/mine",
    help_format="markdown",
    result_action="return_value",
)


@app.command
def prepare(
    source: str = "chorales",
    /,
    *,
    out: Path | None = None,
    seed: int = 0,
    processes: int | None = None,
    max_voices: int | None = None,
    apart_from: str | None = None,
) -> None:
    """Read a folder of scores or a collection, clean and split it, and save it for training.

    For example: seqmusic data prepare my/scores --out data/mine

    Faults of files are listed in report.csv and stop nothing. The same command resumes a
    preparation that was stopped, or reads the files that have changed since.

    Args:
        source: A folder, whose subfolders, if 2 to 16, are styles; or a collection that music21
            installs, such as palestrina.
        out: Where to save it, a new folder or one of the same source; by default the chorales go
            into the cache.
        seed: Another seed gives another split.
        processes: How many read at once; by default as many as there are processor cores.
        max_voices: Drop works with more voices; by default those with more than 16.
        apart_from: Drop what shares a tune or many chords with a held-out work of chorales, of
            another folder made by seqmusic data prepare, or of a benchmark .json.
    """
    if processes is not None and processes < 1:
        raise ValueError(f"--processes must be 1 or more, got {processes}")
    if out is None:
        _prepare_chorales(source)
    else:
        _prepare_folder(source, out, seed, processes, max_voices, apart_from)


def _prepare_folder(
    source: str,
    out: Path,
    seed: int,
    processes: int | None,
    max_voices: int | None,
    apart_from: str | None,
) -> None:
    from seqmusic.corpus.folders.prepared_folder import prepare_source
    from seqmusic.corpus.folders.source import find_source, source_notes
    from seqmusic.corpus.folders.summary import folder_summary

    chosen = find_source(source, max_voices)
    held_out = [] if apart_from is None else _held_out_works(apart_from)
    for note in source_notes(source, chosen):
        print(note)
    try:
        is_new = prepare_source(chosen, out, seed=seed, n_processes=processes, apart_from=held_out)
    except KeyboardInterrupt:
        print(
            f"stopped; what was read is kept in {out}, and the same command goes on from there",
            file=sys.stderr,
        )
        raise
    if not is_new:
        print(f"nothing to do: {out} holds all {len(chosen.files):,} files as they are")
    print(folder_summary(out), end="")
    print(f"in {out}; train on it with: seqmusic train --data {out} --out runs/first")


def _held_out_works(name: str) -> list[Work]:
    from seqmusic.corpus.loading import load_corpus

    dataset = load_corpus(None if name == "chorales" else Path(name))
    return [*dataset.works_in("valid"), *dataset.works_in("test")]


def _prepare_chorales(source: str) -> None:
    from seqmusic.corpus.chorales import cache_file, load_chorales

    if source != "chorales":
        raise CorpusError(
            f"--out is missing: name the folder where the data prepared from {source} are saved"
        )
    dataset = load_chorales()
    parts = ", ".join(
        f"{split} {len(dataset.works_in(split))}" for split in ("train", "valid", "test")
    )
    n_kept, n_works, n_families = map(len, (dataset.kept_works, dataset.works, dataset.families))
    print(f"{n_kept} of {n_works} works kept ({parts}), {n_families} tune families")
    print(f"in {cache_file()}")


@app.command
def collections() -> None:
    """List the collections of music21 that data prepare takes by name, with their terms of use.

    For example: seqmusic data collections
    """
    from seqmusic.formats.notation.collections import (
        DEFAULT_TERMS,
        collection_files,
        collection_names,
        count_works,
        license_terms,
    )

    names = collection_names()
    if not names:
        raise CorpusError(
            "no collections: music21 is not installed, or lacks its corpus; "
            "`pip install music21` installs it"
        )
    print(f"{'collection':<20} {'files':>6} {'works':>6}")
    for name in names:
        files = collection_files(name)
        special_terms = license_terms(name).removeprefix(DEFAULT_TERMS)
        print(f"{name:<20} {len(files):>6,} {count_works(files):>6,} {special_terms}".rstrip())
    print(f"chorales are the four-part works of bach.\n\n{DEFAULT_TERMS}")


@app.command
def describe(*, data: Path | None = None, plot: Path | None = None) -> None:
    """Describe the corpus: parts, voices, lengths, keys, time signatures, durations, tune families.

    For example: seqmusic data describe --plot chorales.png

    Args:
        data: Another corpus than the chorales: a folder made by seqmusic data prepare, or a
            benchmark .json.
        plot: Also plot it, into a .png, .svg or .pdf.
    """
    from seqmusic.corpus.description import describe as described
    from seqmusic.corpus.loading import load_corpus

    dataset = load_corpus(data)
    print(described(dataset), end="")
    if plot is not None:
        from seqmusic.report.corpus_plot import plot_dataset

        print(f"\nDrawn in {plot_dataset(dataset, plot)}")


@app.command
def clean(*, data: Path | None = None) -> None:
    """List each work that the cleaning drops, with the reason.

    For example: seqmusic data clean

    Args:
        data: Another corpus than the chorales: a folder made by seqmusic data prepare, or a
            benchmark .json.
    """
    from seqmusic.corpus.description import cleaning_report
    from seqmusic.corpus.loading import load_corpus

    print(cleaning_report(load_corpus(data)), end="")


@app.command
def tokens(score: str, /, *, data: Path | None = None, grid: str | None = None) -> None:
    """Print a piece as the model sees it, one event a line: number, tick, voice, sound, duration.

    For example: seqmusic data tokens "G4 A4 B4 C5 | D5:1/2 B4"

    Args:
        score: A typed theme, or a file (MIDI, MusicXML, MEI, kern, ABC, CSV); with --data, the name
            of a work there.
        data: The corpus of the work: a folder made by seqmusic data prepare, or a benchmark .json.
        grid: For a played file (MIDI), the grid that its notes are moved to: 1/16, or 1/8t for
            triplets.
    """
    from seqmusic.tokens.tokenizer import encode, tokens_text

    piece = read_theme([score], grid=grid) if data is None else _corpus_work(data, score)
    print("\n".join(tokens_text(encode(piece))))


def _corpus_work(data: Path, name: str) -> Score:
    from seqmusic.corpus.loading import load_corpus

    try:
        return load_corpus(data).work(name).score
    except KeyError as error:
        raise CorpusError(f"{data}: holds no work {name!r}; works.csv there lists them") from error
