"""A folder of anyone's score files as a source: every file that can be read, with its subfolders as styles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from seqmusic.corpus.cleaning import GENERAL_RULES
from seqmusic.corpus.gathering import Source, found_files
from seqmusic.corpus.prepared import MARKER
from seqmusic.errors import CorpusError, FormatError
from seqmusic.formats import READABLE, read_reported
from seqmusic.formats.reading import Reading
from seqmusic.tokens.vocabulary import N_STYLES


def folder_source(folder: Path) -> Source:
    """All files below a folder that can be read; its subfolders, if they are 2 to 16, are the styles of what is in them.

    Raises:
        CorpusError: there is no such folder.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder}: there is no such folder; name a folder of score files ({' '.join(READABLE)})")
    files = dict(found_files(folder, READABLE, MARKER))
    return Source(str(folder.resolve()), files, read_pieces, GENERAL_RULES, styles_of(files))


def styles_of(files: Mapping[str, Path]) -> dict[str, str]:
    """The subfolder that each file is in; nothing if there are not 2 to 16 such folders.

    >>> styles_of({"a/b/c.mid": Path(), "d/e.mid": Path(), "f.mid": Path()})
    {'a/b/c.mid': 'a', 'd/e.mid': 'd'}
    """
    styles = {name: name.split("/", 1)[0] for name in files if "/" in name}
    return styles if 2 <= len(set(styles.values())) <= N_STYLES else {}


def read_pieces(path: Path) -> Sequence[Reading | FormatError]:
    """The pieces of a file.

    Raises:
        FormatError: the file cannot be read.
    """
    return [read_reported(path)]
