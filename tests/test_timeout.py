"""The time limit of readers."""

from __future__ import annotations

import time

import pytest

from seqmusic.formats import timeout


class SwallowsInterrupt:
    """Is deleted slowly, and drops what is raised meanwhile."""

    def __del__(self) -> None:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_is_dropped_is_repeated(monkeypatch):
    monkeypatch.setattr(timeout, "_RETRY_SECONDS", 0.1)
    end = time.monotonic() + 5

    def wait() -> None:
        SwallowsInterrupt()
        while time.monotonic() < end:
            pass

    with pytest.raises(timeout.TimeLimitError), timeout.time_limit(0.1):
        wait()
    assert time.monotonic() < end
    time.sleep(0.3)  # and no interrupt follows
