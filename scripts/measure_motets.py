"""Recast chorales and songs as motets over all named taleae, and count what passes the checks.

    python scripts/measure_motets.py --songs FOLDER --out motets.csv   # 40 test chorales, 40 songs
    python scripts/measure_motets.py --n-works 5                       # a quick look, chorales only

One candidate is composed for each source and talea, with seed 0. Where it fails a check, another
is drawn, three times at most, as `seqmusic transform` does. A source that is refused before
anything is composed counts apart. The songs are every k-th file of a folder of
scores, of the subfolders in turn; a file that cannot be read is passed over and counted.
"""

from __future__ import annotations

import argparse
import csv
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from seqmusic.corpus.chorales import load_chorales
from seqmusic.errors import SeqmusicError
from seqmusic.formats import READABLE, read_score
from seqmusic.generation.request import Request
from seqmusic.model.decoding.decoder import DecodableModel
from seqmusic.progress import track
from seqmusic.runs.pretrained import load_array_model
from seqmusic.score import Score
from seqmusic.transformation.motet_plan import MotetSettings
from seqmusic.transformation.planning import plan_motet
from seqmusic.transformation.sonorities import KINDS, TRECENTO_SHARES
from seqmusic.transformation.taleae import TALEAE
from seqmusic.transformation.transform import Transformation, style_folder, transform_to_motet

COLUMNS = ("kind", "source", "talea", "refusal", "seconds", "quarters", "failed", *KINDS)
EXACT = ("color", "tune", "taleae", "proportions")


def main() -> None:
    """Compose all motets, write a row for each, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=Path, nargs="*", default=[], help="folders of scores")
    parser.add_argument("--n-works", type=int, default=40, help="sources of each kind")
    parser.add_argument("--voices", type=int, default=4)
    parser.add_argument("--style", default="trecento")
    parser.add_argument("--model", type=Path, help="folder of a trained model")
    parser.add_argument(
        "--split", default="test", help="part of the chorales: train, valid or test"
    )
    parser.add_argument("--chorale-taleae", nargs="*", default=list(TALEAE), choices=list(TALEAE))
    parser.add_argument("--song-taleae", nargs="*", default=list(TALEAE), choices=list(TALEAE))
    parser.add_argument("--out", type=Path, default=Path("motets.csv"))
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    folder = style_folder(arguments.style, arguments.model)
    model = load_array_model(folder)
    sources = [*chorales(arguments.split, arguments.n_works)]
    sources += songs(arguments.songs, arguments.n_works)
    rows = []
    with arguments.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for kind, name, score in track(sources, "motets", "source"):
            for talea in getattr(arguments, f"{kind}_taleae"):
                settings = MotetSettings(talea=talea, voices=arguments.voices)
                row = measure(model, folder, score, settings, arguments.style)
                rows.append({"kind": kind, "source": name, "talea": talea, **row})
                writer.writerow(rows[-1])
                file.flush()
    print_figures(rows)


def chorales(split: str, n_works: int) -> Iterator[tuple[str, str, Score]]:
    """The first chorales of a part of the corpus."""
    works = [work for work in load_chorales().works if work.split == split]
    for work in works[:n_works]:
        yield "chorale", work.name, work.score


def songs(folders: Sequence[Path], n_works: int) -> list[tuple[str, str, Score]]:
    """Songs of some folders, as many of each, evenly spread over their files."""
    found = []
    for folder in folders:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in READABLE)
        n_files = max(1, n_works // len(folders))
        for path in files[:: max(1, len(files) // n_files)][:n_files]:
            try:
                score = read_score(path)
            except SeqmusicError as error:
                print(f"{path.name}: not read: {error}")
                continue
            found.append(("song", path.stem, replace(score, title=path.stem)))
    return found


def measure(
    model: DecodableModel, folder: Path, score: Score, settings: MotetSettings, style: str
) -> dict[str, object]:
    """The row of one motet."""
    start = time.process_time()
    try:
        plan = plan_motet(score, settings)
    except SeqmusicError as error:
        return {"refusal": str(error)}
    try:
        (one,) = transform_to_motet(model, folder, plan, Request(n=1), style)
    except SeqmusicError as error:
        return {"failed": f"composing: {error}", "quarters": plan.layout.end_ticks / 24}
    return {
        "seconds": round(time.process_time() - start, 2),
        "quarters": plan.layout.end_ticks / 24,
        "failed": " ".join(check.name for check in one.checks if check.passed is False),
        **shares(one),
    }


def shares(one: Transformation) -> dict[str, object]:
    """Shares of the kinds of sonorities."""
    return dict(next(check.values for check in one.checks if check.name == "sonorities"))


def print_figures(rows: Sequence[dict[str, object]]) -> None:
    """Print how many passed, by kind and talea, and the sonorities of all."""
    composed = [row for row in rows if "refusal" not in row]
    passed = [row for row in composed if not row["failed"]]
    exact = [
        row for row in composed if not set(str(row["failed"]).split()) & {*EXACT, "composing:"}
    ]
    print(f"{len(rows)} motets, {len(rows) - len(composed)} refused before composing")
    print(f"exact tenors: {len(exact)} of {len(composed)}")
    print(f"all checks passed: {len(passed)} of {len(composed)}")
    print("failed:", dict(Counter(str(row["failed"]) for row in composed if row["failed"])))
    for kind in sorted({str(row["kind"]) for row in rows}):
        for talea in TALEAE:
            group = [row for row in composed if (row["kind"], row["talea"]) == (kind, talea)]
            n_passed = sum(not row["failed"] for row in group)
            if group:
                print(f"  {kind:<8} {talea:<11} {n_passed:>3} of {len(group)}")
    for kind, reference in TRECENTO_SHARES.items():
        values = sorted(float(str(row[kind])) for row in composed if kind in row)
        mean = sum(values) / max(1, len(values))
        low, high = values[len(values) // 20], values[-1 - len(values) // 20]
        print(f"{kind:<10} {mean:.3f} (5 to 95 %: {low:.3f} to {high:.3f}; ten motets {reference})")
    seconds = sorted(float(str(row["seconds"])) for row in composed if "seconds" in row)
    print(f"processor seconds: median {seconds[len(seconds) // 2]:.2f}, most {seconds[-1]:.2f}")


if __name__ == "__main__":
    main()
