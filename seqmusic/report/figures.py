"""What all pictures have in common: colors, an empty figure, its way into a page or a file (extra ``[report]``, matplotlib)."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from seqmusic.atomic_files import write_atomic
from seqmusic.errors import FormatError, MissingExtraError

FIGURE_SUFFIXES = (".png", ".svg", ".pdf")
# Source: M. Okabe and K. Ito, Color Universal Design, 2008: told apart with every kind of color vision.
BLUE, ORANGE, GREEN, PURPLE, SKY, GRAY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#767676",
)
COLORS = (BLUE, ORANGE, GREEN, PURPLE, SKY)
# Text stays text: it is small, can be searched and read aloud, and any sans-serif font will do. The same picture is the same bytes.
_SAVE_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "seqmusic"}
_NO_DATE_METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}


def new_figure(width_inches: float, height_inches: float) -> Any:
    """An empty matplotlib figure that finds its own margins.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "drawing needs matplotlib; `pip install 'seqmusic[report]'` brings it"
        ) from error
    return Figure(figsize=(width_inches, height_inches), layout="constrained")


def settings(overrides: Mapping[str, object]) -> AbstractContextManager[None]:
    """matplotlib's settings changed for as long as the context lasts, and its defaults for all others, whatever the user's are.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    new_figure(1, 1)
    from matplotlib import rc_context, rcParamsDefault

    chosen: dict[Any, Any] = {
        name: value for name, value in rcParamsDefault.items() if not name.startswith("backend")
    }
    return rc_context(chosen | dict(overrides))


def figure_svg(figure: Any) -> str:
    """The figure as an SVG element that can stand in a page, as wide as there is room for it."""
    text = _figure_bytes(figure, "svg").decode("utf-8")
    text = re.sub(
        r"<metadata>.*?</metadata>\s*|<style.*?</style>\s*",
        "",
        text[text.index("<svg") :],
        flags=re.DOTALL,
    )
    return re.sub(r' width="[^"]*pt" height="[^"]*pt"', ' stroke-linejoin="round"', text, count=1)


def write_figure(figure: Any, path: Path) -> Path:
    """Write the figure as .png, .svg or .pdf; returns `path`.

    Raises:
        FormatError: another kind of file, or one that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise FormatError(
            f"{path}: a picture ends in {', '.join(FIGURE_SUFFIXES)}, got {path.suffix!r}"
        )
    return write_atomic(path, _figure_bytes(figure, path.suffix[1:].lower()))


def _figure_bytes(figure: Any, kind: str) -> bytes:
    picture = io.BytesIO()
    with settings(_SAVE_STYLE):
        figure.savefig(picture, format=kind, dpi=120, metadata=_NO_DATE_METADATA.get(kind))
    return picture.getvalue()
