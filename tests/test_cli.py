"""The command line: help, refusals, exit statuses, and the commands that compose."""

import contextlib
import fcntl
import json
import os
import pty
import re
import resource
import shlex
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from seqmusic import __version__
from seqmusic.cli import app, main
from seqmusic.cli.arguments import grid_ticks, output_folder
from seqmusic.cli.compose import print_candidates
from seqmusic.errors import FormatError
from seqmusic.formats import read_score, write_score
from seqmusic.formats.theme import parse_theme

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    *("data prepare", "data describe", "data clean", "data tokens", "data collections"),
    *("train", "continue", "harmonize", "regenerate", "replay", "convert", "evaluate", "doctor"),
    *("benchmark jsb", "benchmark rivals", "benchmark harmony", "benchmark bach"),
    *("experiment learning-curve", "experiment scaling", "experiment compare"),
    *("experiment copying", "improve"),
)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a refused command prints."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("seqmusic: ")
    return err.removeprefix("seqmusic: ").rstrip("\n")


def cpu_seconds(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.slow  # for an idle machine: beside other work, help takes half as long again
def test_help_takes_under_three_tenths_of_a_second_of_the_processor() -> None:
    assert min(cpu_seconds("-m", "seqmusic", "--help") for _ in range(5)) < 0.3


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'music21', 'numpy', 'miditoolkit', 'matplotlib'}"
    code = (
        "import sys; from seqmusic.cli import main; main(['--help']); "
        f"sys.exit(str({heavy} & set(sys.modules) or ''))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.strip() == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    assert f"For example: seqmusic {command}" in " ".join(capsys.readouterr().out.split())


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_tokens_of_a_typed_theme_and_of_its_file_are_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theme = "G4 A4 B4 C5 | D5:1/2 B4"
    path = write_score(parse_theme(theme), tmp_path / "theme.mid")
    assert main(["data", "tokens", theme]) == 0
    typed = capsys.readouterr().out
    assert main(["data", "tokens", str(path)]) == 0
    notes = [line for line in typed.splitlines() if "PITCH" in line]
    assert notes[0].split() == ["6", "0", "Soprano", "PITCH_67", "24"]
    assert len(notes) == 6
    from_file = [line for line in capsys.readouterr().out.splitlines() if "PITCH" in line]
    assert [line.split()[-2:] for line in from_file] == [line.split()[-2:] for line in notes]


def test_reading_on_a_grid_reports_what_is_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track = (
        b"".join(b"\0\x90\x3c\x40" + bytes((length, 0x80, 0x3C, 0x40)) for length in (90, 97, 101))
        + b"\0\xff\x2f\0"
    )
    path = tmp_path / "played.mid"
    path.write_bytes(b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk" + len(track).to_bytes(4) + track)
    assert main(["data", "tokens", str(path), "--grid", "1/8"]) == 0
    output = capsys.readouterr()
    assert [line.split()[-1] for line in output.out.splitlines() if "PITCH" in line] == [
        "24",
        "24",
        "24",
    ]
    assert output.err.splitlines()[0].startswith(f"{path}: starts of notes moved to the grid")
    assert [grid_ticks(text) for text in ("1/1", "1/16", "1/32", "1/4t", "1/16T")] == [
        96,
        6,
        3,
        16,
        4,
    ]
    for text in ("1/5", "1/64", "16", "1/0", "2/8", "1/32t."):
        with pytest.raises(ValueError, match=f"from 1/1 to 1/32, .*got '{text}'"):
            grid_ticks(text)


def test_data_commands(chorales: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "prepare"]) == 0
    assert capsys.readouterr().out.startswith(
        "388 of 413 works kept (train 273, valid 38, test 77), 195 tune families"
    )
    assert main(["data", "clean"]) == 0
    assert "Dropped: 25" in capsys.readouterr().out
    assert main(["data", "describe"]) == 0
    assert "388 works kept of 413" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], 'Unknown command "nope"'),
        (["data", "tokens", ""], "the theme holds no note"),
        (["data", "tokens", "C4 H4"], "token 2 'H4' at character 4"),
        (["data", "tokens", "C4", "--grid", "1/8"], "--grid is for a file that was played"),
        (["data", "tokens", "none.mid", "--grid", "8"], "a grid is a note value from 1/1 to 1/32"),
        (["data", "tokens", "none.mid"], "none.mid: there is no such file"),
        (["data", "tokens", "C" * 5000], "token 1"),
        (["train"], "--out requires an argument"),
        (["train", "--out", "x", "--frob", "3"], "Unknown option: --frob"),
        (["train", "--out", "x", "--device", "tpu"], 'Invalid value "tpu" for --device'),
        (["train", "none.toml", "--out", "x"], "none.toml: there is no such file"),
        (
            ["train", "--out", "x", "--model.layer", "3"],
            "[model] unknown key 'layer'; did you mean 'layers'?",
        ),
        (
            ["train", "--out", "x", "--training.batch-size", "0"],
            "[training] batch_size must be 1 or more, got 0",
        ),
        (
            ["train", "--out", "x", "--minutes", "long"],
            "[training] minutes must be a number, got 'long'",
        ),
        (
            ["continue", "C4", "--bars", "x"],
            'Invalid value for --bars: unable to convert "x" into int.',
        ),
        (["continue", "C4", "--key", "H major"], "H major"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if arguments[0] in ("train", "continue"):
        pytest.importorskip("seqmusic.runs.train")
    assert message in refusal(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_the_program_exits_with_that_status() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "seqmusic", "nope"], capture_output=True, text=True
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("seqmusic: ")


def test_ctrl_c_ends_a_preparation_with_status_130_and_no_file(tmp_path: Path) -> None:
    terminal, end_of_child = pty.openpty()  # the progress bar is shown at a terminal alone
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))  # rows, columns
    command = subprocess.Popen(
        [sys.executable, "-m", "seqmusic", "data", "prepare"],
        env=os.environ | {"SEQMUSIC_CACHE": str(tmp_path)},
        stderr=end_of_child,
    )
    os.close(end_of_child)
    shown = os.read(terminal, 8)  # of the bar: it is reading files
    command.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # on Linux, the end of the output
        while text := os.read(terminal, 1024):
            shown += text
    os.close(terminal)
    assert command.wait() == 130
    assert shown.endswith(b"seqmusic: stopped\r\n")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_reader_that_stops_early_is_no_error() -> None:
    theme = " ".join(["C4 D4"] * 1500)
    command = subprocess.Popen(
        [sys.executable, "-m", "seqmusic", "data", "tokens", theme],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout
    command.stdout.readline()
    command.stdout.close()
    assert command.stderr
    assert command.stderr.read() == b""
    command.stderr.close()
    assert command.wait() == 0


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("theme.wav", "theme.wav: '.wav' files are not read; the endings are .mid"),
        ("my theme.MID", "my theme.MID: there is no such file"),
        (f".{os.sep}theme", "theme: a name without an ending tells no format"),
        (f"..{os.sep}", "is a folder; name one file in it"),
    ],
)
def test_a_theme_that_looks_like_a_path_is_a_path(
    argument: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refusal(capsys, "data", "tokens", argument)


@pytest.mark.parametrize("theme", ["C4:1/4.", "C4:1/8", "C4:1/12.|", "60", "do4"])
def test_a_theme_of_one_token_is_no_path(
    theme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkdir("60")  # a folder named like a note
    assert main(["data", "tokens", theme]) == 0
    assert "PITCH_60" in capsys.readouterr().out


def test_results_go_to_a_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert output_folder(None) == Path("continuations/1")
    os.makedirs("continuations/1")
    assert output_folder(None) == Path("continuations/2")
    assert output_folder(Path("continuations/1")) == Path(
        "continuations/1"
    )  # empty, so nothing is lost
    Path("continuations/1/mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FormatError, match="exists and is not empty; choose another folder"):
        output_folder(Path("continuations/1"))
    with pytest.raises(FormatError, match="is a file"):
        output_folder(Path("continuations/1/mine.txt"))


def test_candidates_are_a_table_or_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    files = {"midi": "out/1.mid", "musicxml": "out/1.musicxml"}
    figures = {"rank": 1, "log_probability_per_note": -1.25, "bits_per_note": 1.8034, "n_notes": 31}
    one = figures | {"files": files}
    print_candidates([one])
    row = ["1", "-1.250", "1.80", "31", "out/1.mid", ".musicxml"]
    assert capsys.readouterr().out.splitlines()[1].split() == row
    print_candidates([one], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"candidates": [one]}


@pytest.mark.parametrize(
    "page", ["README.md", "docs/commands.md", "docs/lesson.md", "docs/lesson.fr.md"]
)
def test_the_commands_on_a_page_can_be_parsed(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    commands = re.findall(r"^\| `(seqmusic .*?)` \|", text, re.MULTILINE)
    commands += re.findall(r"^(?:\$ )?(seqmusic .*)", blocks, re.MULTILINE)
    assert len(commands) >= 7
    for command in commands:
        app.parse_args(
            shlex.split(command.replace("\\|", "|"))[1:], exit_on_error=False, print_error=False
        )


def test_the_figures_of_the_corpus_are_those_of_the_documentation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "describe"]) == 0
    description = capsys.readouterr().out
    page = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    for figure in (
        "388 works kept of 413, 91,452 notes",
        "Tune families: 195,",
        "Dropped: 25",
        "with a training work: 0 %",
    ):
        assert figure in description
    for figure in (
        "413 readable files",
        "388 are kept and 25 dropped",
        "91,452 notes",
        "195 tune families",
    ):
        assert figure in " ".join(page.split())


def test_harmonize_regenerate_and_replay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (str(tmp_path / name) for name in ("first", "second", "third"))
    harmonize = ["harmonize", "C5 B4 A4 G4", "--key", "C major", "-n", "1", "--explain", "--json"]
    assert main([*harmonize, "--out", first]) == 0
    (candidate,) = json.loads(capsys.readouterr().out.splitlines()[-1])["candidates"]
    assert Path(candidate["files"]["html"]).is_file()
    score = read_score(f"{first}/1.musicxml")
    assert [note.pitch for note in score.voices[0].notes] == [72, 71, 69, 67]
    regenerate = ["regenerate", f"{first}/1.mid"]
    alto = ["--bars", "1", "--voices", "alto", "-n", "2"]
    assert main([*regenerate, *alto, "--out", second]) == 0
    before, after = read_score(f"{first}/1.mid"), read_score(f"{second}/1.mid")
    assert after.voices[2:] == before.voices[2:]
    assert main(["replay", f"{second}/2.musicxml", "--out", third]) == 0
    assert Path(third, "1.mid").read_bytes() == Path(second, "1.mid").read_bytes()
    capsys.readouterr()
    scatter = ["--scatter", "0.4", "--rounds", "2", "-n", "1"]
    assert main([*regenerate, *scatter, "--out", str(tmp_path / "fourth")]) == 0
    assert capsys.readouterr().err.count("candidate 1  round") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["harmonize", "C5 D5", "--key", "C major", "--cadence"],
            "soprano ends on D5, not on a note of the tonic chord of C major",
        ),
        (["harmonize", "C5; C4; C3; C2"], "all four voices are given"),
        (
            ["harmonize", "C5", "--voice", "viola"],
            "a voice is one of soprano, alto, tenor, bass, got 'viola'",
        ),
        (["regenerate", "C5 D5", "--bars", "9"], "bars 9-9 do not exist"),
        (["regenerate", "C5 D5", "--bars", "2-1"], "bars 2-1 hold nothing"),
        (["regenerate", "C5 D5", "--bars", "x"], "bars are written like 5-8, or 5, got 'x'"),
        (["regenerate", "C5 D5", "--scatter", "2"], "--scatter must be in 0..1"),
        (["regenerate", "nothing.mid"], "there is no such file"),
        (["regenerate", "R"], "holds no note"),
    ],
)
def test_impossible_tasks_are_refused(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
