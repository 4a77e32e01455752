"""Sources of a corpus: a folder of score files, or a collection that music21 installs.

The subfolders of a folder may be styles.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from seqmusic import formats
from seqmusic.corpus.chorales import read_chorale_or_all
from seqmusic.corpus.file_names import paths_by_name
from seqmusic.corpus.folders.collecting import CorpusSource, find_files
from seqmusic.corpus.folders.state import STATE_FILE
from seqmusic.corpus.selection.cleaning import CHORALE_RULES, GENERAL_RULES
from seqmusic.errors import CorpusError, FormatError
from seqmusic.formats.notation.collections import collection_files, collection_names, license_terms
from seqmusic.formats.read_report import ReadReport
from seqmusic.tokens.vocabulary import MAX_VOICES, N_STYLES

CHORALES = "chorales"


def find_source(name: str, max_voices: int | None = None) -> CorpusSource:
    """The folder of this name, or else the collection.

    Args:
        name: of either.
        max_voices: works with more voices are to be dropped; None for the most that tokens express.

    Raises:
        CorpusError: there is no such folder and no such collection.
    """
    source = _named_source(name)
    if max_voices is None:
        return source
    if not 1 <= max_voices <= MAX_VOICES:
        raise ValueError(f"max_voices must be in 1..{MAX_VOICES}, got {max_voices}")
    fewest, _ = source.rules.n_voices or (1, MAX_VOICES)
    return replace(source, rules=replace(source.rules, n_voices=(fewest, max_voices)))


def _named_source(name: str) -> CorpusSource:
    if Path(name).is_dir():
        return folder_source(Path(name))
    if name == CHORALES:
        files = paths_by_name(collection_files("bach"))
        return CorpusSource(CHORALES, files, read_chorale_piece, CHORALE_RULES, {})
    if files := paths_by_name(collection_files(name)):
        return CorpusSource(name, files, read_pieces_or_errors, GENERAL_RULES, {})
    near = difflib.get_close_matches(name, [CHORALES, *collection_names()], 1, 0.6)
    hint = f"did you mean {near[0]}?" if near else "seqmusic data collections lists the collections"
    raise CorpusError(f"{name}: there is no such folder, and no such collection; {hint}")


def source_notes(name: str, source: CorpusSource) -> Iterator[str]:
    """Notes for the user before a source is prepared: its terms, and the use of its subfolders."""
    if not Path(name).is_dir():
        yield license_terms("bach" if name == CHORALES else name)
        return
    n_subfolders = len(set(subfolders(source.files).values()))
    if n_subfolders > N_STYLES:
        yield (
            f"{name}: its {n_subfolders} subfolders are not taken as styles, "
            f"of which there may be {N_STYLES}"
        )


def folder_source(folder: Path) -> CorpusSource:
    """All files below a folder that can be read; its subfolders, if 2 to 16, are styles."""
    files = dict(find_files(folder, formats.READABLE, STATE_FILE))
    return CorpusSource(
        str(folder.resolve()), files, read_pieces_or_errors, GENERAL_RULES, subfolder_styles(files)
    )


def subfolder_styles(files: Mapping[str, Path]) -> dict[str, str]:
    """The subfolder of each file as its style; nothing if there are not 2 to 16 subfolders.

    >>> subfolder_styles({"a/b/c.mid": Path(), "d/e.mid": Path(), "f.mid": Path()})
    {'a/b/c.mid': 'a', 'd/e.mid': 'd'}
    """
    styles = subfolders(files)
    return styles if 2 <= len(set(styles.values())) <= N_STYLES else {}


def subfolders(files: Mapping[str, Path]) -> dict[str, str]:
    """The first folder in the name of each file that is in one."""
    return {name: name.split("/", 1)[0] for name in files if "/" in name}


def read_pieces_or_errors(path: Path) -> Sequence[ReadReport | FormatError]:
    """The pieces of a file, and an error for each piece in it that cannot be read.

    Raises:
        FormatError: the file cannot be read.
    """
    return [piece.report or FormatError(piece.refusal) for piece in formats.read_pieces(path)]


def read_chorale_piece(path: Path) -> Sequence[ReadReport | FormatError]:
    """The chorale in a file.

    Raises:
        FormatError: the file cannot be read.
    """
    return [ReadReport(read_chorale_or_all(path))]
