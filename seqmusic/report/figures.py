"""Figures drawn with matplotlib: their colors, and how they are written into a page or a file.

Drawing needs the extra ``[report]``.
"""

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
# Distinguishable with every kind of color vision.
# Source: M. Okabe and K. Ito, Color Universal Design, 2008.
BLUE, ORANGE, GREEN, PURPLE, SKY = COLORS = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"
GRAY = "#767676"
# Text stays text: it is small, can be searched and read aloud, and any sans-serif font will do.
# The fixed salt makes the same figure the same bytes.
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


def require_matplotlib() -> None:
    """Return if figures can be drawn; a study calls this before it trains anything.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    new_figure(1, 1)


def matplotlib_settings(overrides: Mapping[str, object]) -> AbstractContextManager[None]:
    """A context with the default settings of matplotlib, whatever the user's are, and overrides.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib import rc_context, rcParamsDefault

    chosen: dict[Any, Any] = {
        name: value for name, value in rcParamsDefault.items() if not name.startswith("backend")
    }
    return rc_context(chosen | dict(overrides))


def figure_svg(figure: Any) -> str:
    """The figure as an SVG element for a page, as wide as the page allows."""
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
        FormatError: the suffix is another one, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise FormatError(
            f"{path}: a picture ends in {', '.join(FIGURE_SUFFIXES)}, got {path.suffix!r}"
        )
    return write_atomic(path, _figure_bytes(figure, path.suffix[1:].lower()))


def write_svg_and_png(figure: Any, folder: Path, name: str) -> None:
    """Write the figure as NAME.svg and as NAME.png.

    Raises:
        FormatError: a file cannot be written.
    """
    for suffix in (".svg", ".png"):
        write_figure(figure, folder / f"{name}{suffix}")


def _figure_bytes(figure: Any, kind: str) -> bytes:
    picture = io.BytesIO()
    with matplotlib_settings(_SAVE_STYLE):
        figure.savefig(picture, format=kind, dpi=120, metadata=_NO_DATE_METADATA.get(kind))
    return picture.getvalue()
