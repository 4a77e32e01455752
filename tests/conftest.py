"""What several test files share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from small_runs import shortest_works

from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile(
    "seqmusic",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("seqmusic")


@pytest.fixture(scope="session")
def chorales() -> Dataset:
    """The whole corpus; from the cache where it was prepared before, else prepared once."""
    return load_chorales()


@pytest.fixture(scope="session")
def small_dataset(chorales: Dataset) -> Dataset:
    """The shortest chorales: 8 for training, 4 for validation and 2 for the test."""
    return shortest_works(chorales, train=8, valid=4, test=2)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium; without one the test is skipped, but in CI it fails."""
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next((found for name in names if (found := shutil.which(name))), None)
    if chromium is None:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(f"the tests of pages need one of {', '.join(names)} on the path")
    from playwright.sync_api import sync_playwright

    quiet = (
        *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update"),
    )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(quiet))
        yield started
        started.close()
