"""The command line: a thin shell over the package; a command imports its work when it is called, so that help is quick."""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from seqmusic import __version__
from seqmusic.errors import FormatError, SeqmusicError

if TYPE_CHECKING:
    from seqmusic.score import Score

app = App(
    name="seqmusic",
    help="Learns from scores, predicts the next note, and continues a partial theme.\n\n"
    'For example: seqmusic continue "G4 A4 B4 C5 | D5:1/2 B4"',
    version=__version__,
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
data = App(
    name="data",
    help="The corpus: prepare it, describe it, see what was dropped and what the model is shown.\n\n"
    "For example: seqmusic data describe",
    help_format="plaintext",
    result_action="return_value",
)
benchmark = App(
    name="benchmark",
    help="Measure models in units that compare.\n\nFor example: seqmusic benchmark jsb --data Jsb16thSeparated.json",
    help_format="plaintext",
    result_action="return_value",
)
app.command(data)
app.command(benchmark)
_Flag = Parameter(negative="")
_Table = dict[str, str] | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 2 for what the user can mend (one line says what), 130 for Ctrl-C."""
    try:
        app(list(sys.argv[1:] if arguments is None else arguments), exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("seqmusic: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SeqmusicError, CycloptsError, ValueError, OSError) as error:
        print(f"seqmusic: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


@data.command
def prepare(*, out: Path | None = None) -> None:
    """Read the chorales, clean and split them, and keep them in the cache.

    For example: seqmusic data prepare

    Args:
        out: A new folder for a copy that you can look at and change: scores.npz and the table works.csv.
    """
    from seqmusic.corpus.chorales import cache_file, load_chorales
    from seqmusic.corpus.storage import save_dataset

    if out is not None:
        _refuse_full(out)
    dataset = load_chorales()
    parts = ", ".join(f"{split} {len(dataset.part(split))}" for split in ("train", "valid", "test"))
    print(f"{len(dataset.kept)} of {len(dataset.works)} works kept ({parts}), {len(dataset.families)} tune families")
    print(f"in {save_dataset(dataset, out) if out is not None else cache_file()}")


@data.command
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


@data.command
def clean() -> None:
    """List each work that the cleaning drops, with the reason.

    For example: seqmusic data clean
    """
    from seqmusic.corpus.chorales import load_chorales
    from seqmusic.corpus.description import cleaning_report

    print(cleaning_report(load_chorales()), end="")


@data.command
def tokens(score: str, /) -> None:
    """Print a piece as the model sees it, one event a line: number, tick, voice, what, how many ticks.

    For example: seqmusic data tokens "G4 A4 B4 C5 | D5:1/2 B4"

    Args:
        score: A typed head, or a file (MIDI, MusicXML, kern, ABC).
    """
    from seqmusic.tokens.tokenizer import encode, tokens_text

    for line in tokens_text(encode(_score([score]))):
        print(line)


@app.command
def train(
    config: Path | None = None,
    /,
    *,
    out: Path,
    data: Path | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    minutes: str | None = None,
    resume: Annotated[bool, _Flag] = False,
    model: _Table = None,
    training: _Table = None,
) -> None:
    """Train a model, of the chorales unless --data names another corpus.

    For example: seqmusic train configs/quick.toml --out runs/first --model.dropout 0.3

    Args:
        config: A configuration in TOML; quick and tiny name those that come with seqmusic.
        out: The folder of the run.
        data: Another corpus: a folder made by seqmusic data prepare --out, or a benchmark .json with its own split.
        device: Where to compute; auto takes the best that is there.
        minutes: Stop after so long; the same as --training.minutes.
        resume: Go on with the run in the folder.
        model: Any key of the table [model], such as --model.dropout 0.3.
        training: Any key of the table [training], such as --training.steps 900.
    """
    from seqmusic.configuration import read_configuration
    from seqmusic.run import train_run

    tables = {"model": model or {}, "training": training or {}}
    overrides = {f"{table}.{key}": text for table, keys in tables.items() for key, text in keys.items()}
    if minutes is not None:
        overrides["training.minutes"] = minutes
    train_run(read_configuration(config, overrides), out, corpus=data, device=device, resume=resume)


@benchmark.command
def jsb(
    *,
    data: Path,
    model: list[Path] | None = None,
    config: Path | None = None,
    out: Path | None = None,
    allow_overlap: Annotated[bool, _Flag] = False,
) -> None:
    """Score models on the usual chorale benchmark, beside the rivals that only count; the last line is one JSON object.

    For example: seqmusic benchmark jsb --data Jsb16thSeparated.json --model runs/jsb

    Args:
        data: The file of the benchmark, Jsb16thSeparated.json: 229, 76 and 77 chorales on a sixteenth grid.
        model: A trained model's folder, or more of them, which are averaged; without it, those that come with seqmusic.
        config: Train a model with this configuration first, and score it.
        out: The folder of that run; runs/NAME of the configuration where it is not given.
        allow_overlap: Score a model on pieces it was trained on, too, and say how many they are.
    """
    from seqmusic.checkpoints import BENCHMARK_MODELS
    from seqmusic.evaluation.benchmark import benchmark_jsb

    if config is not None:
        from seqmusic.configuration import read_configuration
        from seqmusic.run import train_run

        model = [out or Path("runs") / config.stem]
        train_run(read_configuration(config, {}), model[0], corpus=data)
    print(json.dumps(benchmark_jsb(data, model or BENCHMARK_MODELS, allow_overlap=allow_overlap)))


@benchmark.command
def rivals(*, data: Path, cpu_seconds: float = 120.0) -> None:
    """Train the transformer, an LSTM and a sixteenth-grid transformer alike, and compare; the last line is one JSON object.

    For example: seqmusic benchmark rivals --data Jsb16thSeparated.json --cpu-seconds 300

    Args:
        data: The file of the benchmark, Jsb16thSeparated.json.
        cpu_seconds: Processor time for each.
    """
    from seqmusic.evaluation.rivals import trained_rivals

    if not cpu_seconds > 0:
        raise ValueError(f"--cpu-seconds must be more than 0, got {cpu_seconds}")
    print(json.dumps(trained_rivals(data, cpu_seconds)))


@app.command(name="continue")
def continue_(
    *head: str,
    model: Path | None = None,
    voices: Literal["melody", "satb"] | None = None,
    bars: int = 8,
    n: Annotated[int, Parameter(name="-n")] = 3,
    temperature: float = 1.0,
    pitch_temperature: float | None = None,
    rhythm_temperature: float | None = None,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    key: str | None = None,
    time_signature: str | None = None,
    seed: int = 0,
    out: Path | None = None,
    json: Annotated[bool, _Flag] = False,
) -> None:
    """Continue a theme, and write the candidates as MIDI, MusicXML, LilyPond and pictures, the likeliest first.

    For example: seqmusic continue "G4 A4 B4 C5 | D5:1/2 B4" --voices satb --bars 8 --seed 7

    Args:
        head: The theme, typed ("C4 D4:1/8 Eb4:3/8 R:1/4 | F4"; several are several voices), or one file.
        model: The folder of a trained model.
        voices: One voice, or four; when not said, one for a theme of one voice and else four.
        bars: How many bars in all, the theme's own included and a pickup not counted; the last is short by the pickup.
        n: How many candidates.
        temperature: 1 as the model was trained, less is safer, 0 always takes the likeliest, and so gives one candidate.
        pitch_temperature: The same for pitches alone.
        rhythm_temperature: The same for durations alone.
        top_k: Choose among so many of the likeliest; 0 is all.
        top_p: Choose among the likeliest that have this probability together.
        min_p: Leave out what is less likely than this share of the likeliest; 0.05 calms a model that was trained shortly.
        key: Such as "D minor"; when not said, the model chooses among the keys whose scale holds most of the theme.
        time_signature: Such as 3/4; of a typed theme, 4/4 when not said.
        seed: The same seed gives the same candidates.
        out: A new folder for the files; continuations/1, 2, ... when not said.
        json: Say the result as one JSON object, on the last line.
    """
    from seqmusic.composition import continue_run
    from seqmusic.generation.continuation import Request, fitting_shift

    score = _score(head, key, time_signature)
    style = voices or ("melody" if len(score.voices) == 1 else "satb")
    request = Request(
        bars=bars,
        n=n,
        temperature=temperature,
        pitch_temperature=pitch_temperature,
        rhythm_temperature=rhythm_temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
        seed=seed,
        voices=style,
    )
    if shift := fitting_shift(score, style):
        away = f"{abs(shift)} semitones {'higher' if shift > 0 else 'lower'}"
        print(f"The theme lies outside the compass of its voice: composed {away}, and moved back.", file=sys.stderr)
    _print_candidates(continue_run(score, model, request, _new_folder(out)), as_json=json)


@app.command
def replay(file: Path, /, *, out: Path | None = None) -> None:
    """Make a continuation again from the seed and settings that its MIDI or MusicXML file carries.

    For example: seqmusic replay continuations/1/1.mid --out again

    Args:
        file: A file that seqmusic continue wrote.
        out: A new folder for the files; continuations/1, 2, ... when not said.
    """
    from seqmusic.composition import replay_run

    _print_candidates(replay_run(file, _new_folder(out)))


@app.command
def doctor() -> None:
    """Tell versions, devices, which optional parts are found and how to get the others, and how fast music is composed here.

    For example: seqmusic doctor
    """
    from seqmusic.checkpoints import VOCABULARY
    from seqmusic.doctor import report
    from seqmusic.generation.speed import composing_speed
    from seqmusic.model.transformer import ModelSettings, Transformer

    print(report(composing_speed(Transformer(ModelSettings(), VOCABULARY).eval())))


def _score(head: Sequence[str], key: str | None = None, time_signature: str | None = None) -> Score:
    """The score of a typed head, or of the file that the only argument names."""
    from dataclasses import replace

    from seqmusic.formats import read_score
    from seqmusic.formats.head import parse_head
    from seqmusic.score import TimeSignature
    from seqmusic.tonality import parse_key

    tonality = parse_key(key) if key is not None else None
    if len(head) == 1 and _names_a_file(head[0]):
        if time_signature is not None:
            raise ValueError(f"--time-signature is for a typed theme; {head[0]} brings its own")
        score = read_score(head[0])
        return replace(score, key=tonality) if tonality else score
    return parse_head(head or "", TimeSignature.parse(time_signature) if time_signature is not None else None, tonality)


def _names_a_file(argument: str) -> bool:
    """Whether it is a path, there or not, rather than a typed theme: theme.wav or ./theme, but not C4:1/4. or C4:1/8."""
    from seqmusic.formats import READABLE

    looks_like_one = re.fullmatch(r"(\.{0,2}/|~|[A-Za-z]:\\).*|[^\s:;|]*\.[A-Za-z][A-Za-z0-9]*", argument)
    return bool(looks_like_one) or Path(argument).suffix.lower() in READABLE or os.path.isfile(argument)


def _new_folder(out: Path | None) -> Path:
    """The folder that was named, if nothing is in it, else the first of continuations/1, 2, ... that is not there."""
    if out is None:
        return next(path for number in itertools.count(1) if not (path := Path("continuations", str(number))).exists())
    _refuse_full(out)
    return out


def _refuse_full(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise FormatError(f"{folder}: is a file, and the results need a folder; choose another name")
    if folder.is_dir() and any(folder.iterdir()):
        raise FormatError(f"{folder}: exists and is not empty; choose another folder, or delete it first")


def _print_candidates(candidates: list[dict[str, Any]], *, as_json: bool = False) -> None:
    if as_json:
        print(json.dumps({"candidates": candidates}))
        return
    print("rank  log-probability a note  bits a note  notes  files")
    for one in candidates:
        figures = f"{one['rank']:>4}  {one['log_probability_per_note']:>22.3f}  {one['bits_per_note']:>11.2f}  {one['n_notes']:>5}"
        files = [Path(file) for kind, file in one["files"].items() if kind != "picture"]
        print(f"{figures}  {' '.join([str(files[0]), *(file.suffix for file in files[1:])]) if files else ''}".rstrip())
    if missing := next((one["files"]["picture"] for one in candidates if "picture" in one["files"]), ""):
        print(f"No pictures: {missing}")
