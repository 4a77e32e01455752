"""What several test files share."""

from __future__ import annotations

import pytest

from seqmusic.corpus.chorales import load_chorales
from seqmusic.corpus.dataset import Dataset


@pytest.fixture(scope="session")
def chorales() -> Dataset:
    """The whole corpus; from the cache where it was prepared before, else prepared once."""
    return load_chorales(progress=False)
