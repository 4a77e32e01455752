"""What can be prepared: a folder of anyone's score files, with its subfolders as styles, or a collection that music21 installs."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from seqmusic import formats
from seqmusic.corpus.chorales import read_chorale_or_all
from seqmusic.corpus.selection.cleaning import CHORALE_RULES, GENERAL_RULES
from seqmusic.corpus.folders.collecting import CorpusSource, find_files
from seqmusic.corpus.folders.prepared_folder import STATE_FILE
from seqmusic.errors import CorpusError, FormatError
from seqmusic.formats.notation.collections import collection_files, collection_names, license_terms
from seqmusic.formats.read_report import ReadReport
from seqmusic.tokens.vocabulary import N_STYLES

CHORALES = "chorales"


def find_source(what: str) -> CorpusSource:
    """The folder of this name, or else the collection.

    Raises:
        CorpusError: there is no such folder and no such collection.
    """
    if Path(what).is_dir():
        return folder_source(Path(what))
    if what == CHORALES:
        return CorpusSource(
            CHORALES,
            _paths_by_name(collection_files("bach")),
            read_chorale_piece,
            CHORALE_RULES,
            {},
        )
    if files := collection_files(what):
        return CorpusSource(what, _paths_by_name(files), read_pieces_or_errors, GENERAL_RULES, {})
    near = difflib.get_close_matches(what, [CHORALES, *collection_names()], 1, 0.6)
    hint = f"did you mean {near[0]}?" if near else "seqmusic data collections lists the collections"
    raise CorpusError(f"{what}: there is no such folder, and no such collection; {hint}")


def source_notes(what: str, source: CorpusSource) -> Iterator[str]:
    """What should be known before a source is prepared: its terms, and what its subfolders are taken for."""
    if not Path(what).is_dir():
        yield license_terms("bach" if what == CHORALES else what)
        return
    names = set(subfolders(source.files).values())
    if len(names) > N_STYLES:
        yield f"{what}: its {len(names)} subfolders are not taken as styles, of which there may be {N_STYLES}"


def folder_source(folder: Path) -> CorpusSource:
    """All files below a folder that can be read; its subfolders, if they are 2 to 16, are the styles of what is in them."""
    files = dict(find_files(folder, formats.READABLE, STATE_FILE))
    return CorpusSource(
        str(folder.resolve()), files, read_pieces_or_errors, GENERAL_RULES, subfolder_styles(files)
    )


def subfolder_styles(files: Mapping[str, Path]) -> dict[str, str]:
    """The subfolder that each file is in; nothing if there are not 2 to 16 such folders.

    >>> subfolder_styles({"a/b/c.mid": Path(), "d/e.mid": Path(), "f.mid": Path()})
    {'a/b/c.mid': 'a', 'd/e.mid': 'd'}
    """
    styles = subfolders(files)
    return styles if 2 <= len(set(styles.values())) <= N_STYLES else {}


def subfolders(files: Mapping[str, Path]) -> dict[str, str]:
    """The first folder in the name of each file that has one."""
    return {name: name.split("/", 1)[0] for name in files if "/" in name}


def read_pieces_or_errors(path: Path) -> Sequence[ReadReport | FormatError]:
    """The pieces of a file, and why others in it are refused.

    Raises:
        FormatError: the file cannot be read.
    """
    return [piece.reading or FormatError(piece.refusal) for piece in formats.read_pieces(path)]


def read_chorale_piece(path: Path) -> Sequence[ReadReport | FormatError]:
    """The chorale in a file.

    Raises:
        FormatError: the file cannot be read.
    """
    return [ReadReport(read_chorale_or_all(path))]


def _paths_by_name(files: Sequence[Path]) -> dict[str, Path]:
    """The files by their names, and by the folder before it where two have the same name."""
    names = [path.name for path in files]
    return {
        path.name if names.count(path.name) == 1 else f"{path.parent.name}/{path.name}": path
        for path in files
    }
