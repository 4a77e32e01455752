"""Collect scores of eleven repertories into one folder, to train on styles or a recognizer.

    python scripts/collect_repertories.py --data DATA --out data/repertories

Each file is copied to CLASS/SOURCE/GROUP/FILE. A source is a composer, a book or a collection; a
group holds what belongs together (the movements of a mass, the songs of an opus, the settings of a
tune) and is never torn by a split. Tune books are split into one file a tune.

DATA is a folder with any of open-hymnal, openscore-lieder, openscore-quartets and
josquin-research-project; the other repertories come from the music21 that is installed. The terms
of the sets differ: read docs/repertories.md before publishing what was learned from them.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seqmusic.corpus.loading import load_corpus
from seqmusic.formats.notation.collections import collection_files
from seqmusic.progress import track

GERMAN_TUNE_BOOKS = ("altdeu", "ballad", "boehme", "erk", "fink", "kinder", "zuccal")
TIMES_AS_MANY = {"folk": 3}  # short, and of many kinds
LARGEST_QUARTET_BYTES = 120_000  # larger files hold several movements and take minutes to read
TRECENTO_MASS = re.compile(r"gloria|credo|kyrie|sanctus|agnus|benedicamus|ite missa|deo gra", re.I)


@dataclass(frozen=True)
class Item:
    """One score to collect: a file, or the text of one tune of a book."""

    class_name: str
    source: str
    group: str
    name: str
    content: Path | str


def main() -> None:
    """Collect, choose at most so many a class, and copy."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the folder of the sets outside music21")
    parser.add_argument("--out", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--most", type=int, default=400, help="files a class at most, of folk songs 3 times as many"
    )
    arguments = parser.parse_args()
    if arguments.out.exists() and any(arguments.out.iterdir()):
        parser.error(f"{arguments.out} is not empty")
    by_class: dict[str, list[Item]] = defaultdict(list)
    for item in (*music21_items(), *data_items(arguments.data)):
        by_class[item.class_name].append(item)
    for class_name, items in sorted(by_class.items()):
        chosen = choose(items, arguments.most * TIMES_AS_MANY.get(class_name, 1))
        for item in track(chosen, class_name, "file"):
            copy(item, arguments.out)
        print(f"{class_name:9} {len(chosen):4} of {len(items)} files")


def choose(items: list[Item], most: int) -> list[Item]:
    """At most so many items: sources take turns, and so do the groups within a source."""
    rng = random.Random(0)
    queues: dict[str, list[Item]] = defaultdict(list)
    for source in sorted({item.source for item in items}):
        groups: dict[str, list[Item]] = defaultdict(list)
        for item in sorted(items, key=lambda item: item.name):
            if item.source == source:
                groups[item.group].append(item)
        for group in groups.values():
            rng.shuffle(group)
        order = list(groups.values())
        rng.shuffle(order)
        queues[source] = list(interleaved(order))
    return list(interleaved(list(queues.values())))[:most]


def interleaved(lists: list[list[Item]]) -> Iterator[Item]:
    """The first of each list, then the second of each, and so on."""
    for i in range(max(map(len, lists), default=0)):
        yield from (items[i] for items in lists if i < len(items))


def copy(item: Item, out: Path) -> None:
    """Copy or write one item."""
    folder = out / item.class_name / safe(item.source) / safe(item.group)
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(item.content, Path):
        shutil.copyfile(item.content, folder / (safe(item.name) + item.content.suffix))
    else:
        (folder / f"{safe(item.name)}.abc").write_text(item.content, encoding="utf-8")


def safe(name: str) -> str:
    """The name with nothing but letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "unnamed"


def music21_items() -> Iterator[Item]:
    """Everything that music21 brings."""
    yield from chorales()
    yield from palestrina()
    for path in files("monteverdi", ".mxl"):
        book = path.name.split(".")[1]
        yield Item("madrigal", f"Monteverdi book {book}", path.stem, path.stem, path)
    for path in files("trecento", ".xml"):
        volume = "_".join(path.name.split("_")[:2]).split("-")[0]
        kind = "mass" if TRECENTO_MASS.search(path.stem) else "song"
        yield Item("trecento", f"{volume} {kind}", path.stem, path.stem, path)
    for composer in ("haydn", "mozart", "beethoven", "schumann_robert"):
        for path in files(composer, ".mxl"):
            work = path.stem if path.stem.startswith("opus") else path.parent.name
            if not work.startswith(("k545", "opus48")):
                yield Item("quartet", composer, work, f"{work}-{path.stem}", path)
    yield from tunes("folk", "essenFolksong", lambda stem: stem.startswith(GERMAN_TUNE_BOOKS))
    for collection in ("ryansMammoth", "airdsAirs", "oneills1850"):
        yield from tunes("fiddle", collection, lambda stem: True)


def chorales() -> Iterator[Item]:
    """The chorales that cleaning keeps, grouped by tune family."""
    paths = {path.stem: path for path in files("bach", ".mxl", ".krn", ".xml")}
    for work in load_corpus(None).works:
        if work.split and work.name in paths:
            yield Item("chorale", "Bach", f"tune {work.family}", work.name, paths[work.name])


def palestrina() -> Iterator[Item]:
    """Mass movements; the parts (I), (II) of one mass are one group."""
    for path in files("palestrina", ".krn"):
        text = path.read_text(encoding="latin-1")
        title = re.search(r"^!!!OPR: *(.*)$", text, re.M)
        mass = re.sub(r"\s*\([IVX]+\)\s*$", "", title[1]).strip() if title else "unknown"
        yield Item("mass", "Palestrina", mass, path.stem, path)


def tunes(class_name: str, collection: str, is_wanted: Callable[[str], bool]) -> Iterator[Item]:
    """The tunes of a collection of tune books, each with the book as its source."""
    for path in files(collection, ".abc"):
        if not is_wanted(path.stem):
            continue
        book = collection if collection != "essenFolksong" else path.stem.rstrip("0123456789")
        text = path.read_text(encoding="latin-1")
        for number, tune in enumerate(re.split(r"(?m)^(?=X: *\d)", text)):
            if tune.startswith("X:"):
                name = f"{path.stem}-{number}"
                yield Item(class_name, book, name, name, tune)


def data_items(data: Path | None) -> Iterator[Item]:
    """Everything in the folder of further sets."""
    if data is None:
        return
    for path in sorted((data / "open-hymnal" / "musicxml").glob("*.musicxml")):
        yield Item("hymn", "Open Hymnal", path.stem, path.stem, path)
    for path in sorted((data / "openscore-lieder").glob("*/*.mxl")):
        opus, *_ = path.stem.split("--")
        yield Item("lied", path.parent.name, opus, path.stem, path)
    for path in sorted((data / "openscore-quartets").glob("*/*.mxl")):
        if path.stat().st_size <= LARGEST_QUARTET_BYTES:
            yield Item("quartet", path.parent.name, path.stem, path.stem, path)
    kinds = {"mass": "mass", "motet": "motet", "song": "chanson"}
    for path in sorted((data / "josquin-research-project").glob("*/*/*.krn")):
        composer, kind = path.parent.parent.name, kinds[path.parent.name]
        work = re.match(r"[A-Za-z]+\d+", path.stem)
        yield Item(kind, composer, work[0] if work else path.stem, path.stem, path)


def files(collection: str, *endings: str) -> list[Path]:
    """The files of a collection of music21 with these endings."""
    return sorted(p for p in collection_files(collection) if p.suffix in endings)


if __name__ == "__main__":
    main()
