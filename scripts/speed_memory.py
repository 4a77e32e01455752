"""The peak memory of commands, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_CONTINUE = ("continue", "C4 D4 E4 F4", "--voices", "satb", "--out")
# The sizes of the model that comes with seqmusic.
_TRAIN = (
    *("train", "--model.layers", "2", "--model.feedforward", "2", "--device", "cpu"),
    *("--training.batch_size", "8", "--training.steps", "100", "--out"),
)
# A process inherits the peak of the one that starts it; this one is small.
_LAUNCHER = """
import resource, subprocess, sys
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
status = subprocess.run(sys.argv[1:], **quiet).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status != 0)
"""


def peak_memory() -> dict[str, float]:
    """Peak memory in MB of a process that continues a theme, and of one that trains a model."""
    if sys.platform == "win32":
        return {}
    with tempfile.TemporaryDirectory() as folder:
        peaks = {
            arguments[0]: _peak_megabytes([*arguments, str(Path(folder, arguments[0]))])
            for arguments in (_CONTINUE, _TRAIN)
        }
    return {name: megabytes for name, megabytes in peaks.items() if megabytes is not None}


def _peak_megabytes(arguments: Sequence[str]) -> float | None:
    """Peak memory of a seqmusic command; None if it fails."""
    command = [sys.executable, "-c", _LAUNCHER, sys.executable, "-m", "seqmusic", *arguments]
    launched = subprocess.run(command, capture_output=True, text=True, check=False)
    if launched.returncode:
        return None
    units_per_megabyte = 1e6 if sys.platform == "darwin" else 1e3
    return int(launched.stdout) / units_per_megabyte
