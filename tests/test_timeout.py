"""A time limit stops what takes too long."""

from __future__ import annotations

import time

import pytest

from seqmusic.formats import timeout


class SwallowsInterrupt:
    """Takes its time to go, and drops what is raised in it."""

    def __del__(self) -> None:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_call_to_stop_that_is_dropped_is_made_again(monkeypatch):
    monkeypatch.setattr(timeout, "_RETRY_SECONDS", 0.1)
    end = time.monotonic() + 5

    def dawdle() -> None:
        SwallowsInterrupt()
        while time.monotonic() < end:
            pass

    with pytest.raises(timeout.TimeLimitError), timeout.time_limit(0.1):
        dawdle()
    assert time.monotonic() < end
    time.sleep(0.3)  # and none comes afterwards
