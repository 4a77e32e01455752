"""A request refuses values outside their ranges."""

import pytest

from seqmusic.generation.request import Request


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", -0.1), ("top_p", 0.0), ("min_p", 2.0), ("n", 0), ("seed", -1)],
)
def test_bad_requests_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        Request(**{name: value})  # type: ignore[arg-type]
