"""What several test files share."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

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
