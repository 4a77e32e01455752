"""The report of `seqmusic doctor`: versions, devices, optional parts, and folders."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CORE = (
    *("torch", "music21", "miditoolkit", "numpy", "tqdm", "safetensors", "cyclopts"),
    *("defusedxml", "filelock", "platformdirs"),
)
OPTIONAL = (
    ("verovio", "engraves pictures", "score"),
    ("resvg-py", "pictures as PNG", "score"),
    ("matplotlib", "plots, and the letters of pictures", "report"),
    ("numba", "composes many pieces sooner", "fast"),
    ("miditok", "the tokenizer that the benchmark compares with", "bench"),
)
"""Distributions, what each is for, and the extra that installs it."""


def environment_report(speed: str | None = None) -> str:
    """The whole text, ready to be printed.

    Args:
        speed: as measured on this machine, such as ``"9,300 notes/s, 410 times real time"``; None
            omits the section.
    """
    sections = [
        ("Versions", _versions()),
        ("Devices", _devices()),
        ("Optional parts", _optional_parts()),
        ("Folders", _folders()),
    ]
    if speed is not None:
        sections.append(("Speed", [("here", speed)]))
    return "\n\n".join(_section_text(title, rows) for title, rows in sections)


def _section_text(title: str, rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join([title, *(f"  {name:<{width}}  {text}" for name, text in rows)])


def _versions() -> list[tuple[str, str]]:
    python = (
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    )
    return [
        ("python", python),
        *((name, _version(name) or _remedy("seqmusic")) for name in ("seqmusic", *CORE)),
    ]


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _remedy(requirement: str) -> str:
    return f"not found; get it with: pip install '{requirement}'"


def _devices() -> list[tuple[str, str]]:
    from seqmusic.corpus.folders.workers import n_cores

    cores = f"{n_cores()} of {os.cpu_count() or 1} cores may be used"
    try:
        import torch
    except (ImportError, OSError) as error:  # an OSError where one of its libraries does not load
        return [("cpu", cores), ("torch", f"cannot be loaded: {str(error).splitlines()[0]}")]
    rows = [("cpu", f"{cores}, {torch.get_num_threads()} threads")]
    gpus = [_gpu(torch.cuda.get_device_properties(i)) for i in range(torch.cuda.device_count())]
    has_cuda = bool(torch.version.cuda or torch.version.hip)
    has_mps = torch.backends.mps.is_built()
    rows.append(("cuda", ", ".join(gpus) or _missing_device(has_cuda)))
    found_mps = torch.backends.mps.is_available()
    rows.append(("mps", "found" if found_mps else _missing_device(has_mps)))
    return rows


def _missing_device(is_in_build: bool) -> str:
    return "no device found" if is_in_build else "not in this build of torch"


def _gpu(properties: object) -> str:
    name, size = getattr(properties, "name", "?"), getattr(properties, "total_memory", 0)
    return f"{name} ({size / 2**30:.0f} GiB)"


def _optional_parts() -> list[tuple[str, str]]:
    rows = []
    for name, purpose, extra in OPTIONAL:
        version = _version(name)
        missing = f"{purpose}: {_remedy(f'seqmusic[{extra}]')}"
        rows.append((name, f"{version}, {purpose}" if version else missing))
    return [*rows, ("lilypond", _lilypond())]


def _lilypond() -> str:
    """The state of LilyPond, which users call on .ly files; seqmusic itself does not need it."""
    program = shutil.which("lilypond")
    if program is None:
        return (
            "prints .ly files as PDF: not found; "
            "get it from your system's packages, or from lilypond.org"
        )
    try:
        command = [program, "--version"]
        output = subprocess.run(command, capture_output=True, timeout=20, check=False).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"found at {program}, but does not start: {error}"
    version = re.search(r"\d+(\.\d+)+", output.decode("utf-8", "replace"))
    return f"{version[0] if version else 'of unknown version'}, prints .ly files as PDF, {program}"


def _folders() -> list[tuple[str, str]]:
    from seqmusic.corpus.cache import cache_folder

    cache = cache_folder()
    return [
        ("program", str(Path(__file__).parent.parent)),
        ("cache", f"{cache} ({_folder_contents(cache)})"),
    ]


def _folder_contents(folder: Path) -> str:
    try:
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return (
        f"{len(sizes)} files, {sum(sizes) / 1e6:.1f} MB"
        if sizes
        else "empty; 'seqmusic data prepare' fills it"
    )
