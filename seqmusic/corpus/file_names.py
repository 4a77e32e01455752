"""Names of works and files, made from paths: unique, and as short as they can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath


def names_without_endings(paths: Sequence[PurePath]) -> list[str]:
    """Each path without its ending; of paths that differ only there, one goes without its ending.

    That is the one with the most frequent ending.

    >>> names_without_endings([PurePosixPath(p) for p in ("a/x.mid", "a/x.mxl", "a/y.mid")])
    ['a/x', 'a/x.mxl', 'a/y']
    """
    endings = Counter(path.suffix for path in paths)
    owners: dict[PurePath, PurePath] = {}
    for path in sorted(paths, key=lambda path: (-endings[path.suffix], path.suffix)):
        owners.setdefault(path.with_suffix(""), path)
    stems = [path.with_suffix("") for path in paths]
    return [
        (stem if owners[stem] == path else path).as_posix()
        for path, stem in zip(paths, stems, strict=True)
    ]


def unique_file_names(paths: Sequence[Path]) -> list[str]:
    """A unique name for each file: its name without the ending, else with it, else the whole path.

    >>> unique_file_names([Path("bach/1.mxl"), Path("bach/2.mxl"), Path("bach/2.krn")])
    ['1', '2', '2.krn']
    """
    counts = Counter(path.name for path in paths)
    short = names_without_endings([PurePath(path.name) for path in paths])
    return [
        path.as_posix() if counts[path.name] > 1 else name
        for path, name in zip(paths, short, strict=True)
    ]


def unique_piece_names(files: Sequence[tuple[str, int]]) -> list[str]:
    """A unique name for each piece of files, given the name of each file and its number of pieces.

    >>> unique_piece_names([("a/x.mid", 1), ("a/x.mxl", 1), ("b/tunes.abc", 2)])
    ['a/x', 'a/x.mxl', 'b/tunes#1', 'b/tunes#2']
    """
    stems = names_without_endings([PurePosixPath(name) for name, _ in files])
    names = []
    for (_, n_pieces), stem in zip(files, stems, strict=True):
        if n_pieces == 1:
            names.append(stem)
        else:
            names += [f"{stem}#{number}" for number in range(1, n_pieces + 1)]
    return names


def paths_by_name(paths: Sequence[Path]) -> dict[str, Path]:
    """The files by their names; where two have the same name, the folder stands before it.

    >>> list(paths_by_name([Path("x/a.krn"), Path("x/b.krn"), Path("y/b.krn")]))
    ['a.krn', 'x/b.krn', 'y/b.krn']
    """
    counts = Counter(path.name for path in paths)
    return {
        path.name if counts[path.name] == 1 else f"{path.parent.name}/{path.name}": path
        for path in paths
    }
