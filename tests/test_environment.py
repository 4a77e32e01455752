import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import seqmusic
from seqmusic.cli import environment


def row(text: str, name: str) -> str:
    (found,) = [
        line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(f"  {name} ")
    ]
    return found


def test_versions_are_those_installed() -> None:
    text = environment.environment_report()
    assert row(text, "seqmusic") == seqmusic.__version__
    assert row(text, "torch") == torch.__version__
    assert row(text, "numpy") == importlib.metadata.version("numpy")
    assert row(text, "python").startswith(".".join(map(str, sys.version_info[:3])))


def test_devices_are_those_that_torch_sees() -> None:
    text = environment.environment_report()
    assert f"{torch.get_num_threads()} threads" in row(text, "cpu")
    assert ("GiB" in row(text, "cuda")) == torch.cuda.is_available()
    assert (row(text, "mps") == "found") == torch.backends.mps.is_available()


def test_a_missing_part_is_listed_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment, "OPTIONAL", (("no-such-package", "does nothing", "score"),))
    monkeypatch.setenv("PATH", "")
    text = environment.environment_report()
    assert (
        row(text, "no-such-package")
        == "does nothing: not found; get it with: pip install 'seqmusic[score]'"
    )
    assert "not found" in row(text, "lilypond")


def test_every_extra_named_exists_and_holds_the_part() -> None:
    needs = [need.replace('"', "'") for need in importlib.metadata.requires("seqmusic") or []]
    for name, _, extra in environment.OPTIONAL:
        assert any(need.startswith(name) and f"extra == '{extra}'" in need for need in needs)
    assert {need.split(">")[0] for need in needs if "extra" not in need} == set(environment.CORE)


def test_a_program_that_does_not_start_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "lilypond"
    program.write_bytes(b"\x7fELF no program")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "does not start" in row(environment.environment_report(), "lilypond")


def test_the_cache_is_listed_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQMUSIC_CACHE", str(tmp_path / "cache"))
    assert (
        row(environment.environment_report(), "cache")
        == f"{tmp_path / 'cache'} (empty; 'seqmusic data prepare' fills it)"
    )
    (tmp_path / "cache" / "inner").mkdir(parents=True)
    (tmp_path / "cache" / "inner" / "works").write_bytes(b"x" * 2_500_000)
    assert row(environment.environment_report(), "cache").endswith("(1 files, 2.5 MB)")


def test_the_speed_is_listed_if_it_was_measured() -> None:
    assert "Speed" not in environment.environment_report()
    assert row(environment.environment_report("9,300 notes/s"), "here") == "9,300 notes/s"


def test_it_works_without_torch_and_without_the_extras() -> None:
    missing = ("torch", "verovio", "resvg_py", "matplotlib", "music21", "miditoolkit")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing})); "
        "from seqmusic.cli.environment import environment_report; print(environment_report())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot be loaded: " in done.stdout
