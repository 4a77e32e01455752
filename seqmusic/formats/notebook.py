"""How a score shows itself in a notebook: a picture that needs no script, and a button that plays.

Jupyter, marimo and Colab run the script of a frame of its own; a viewer that runs none shows the
picture.
"""

from __future__ import annotations

import base64
import json
import re
from html import escape
from pathlib import Path

from seqmusic.errors import SeqmusicError
from seqmusic.formats.image import score_svg
from seqmusic.formats.score_marks import NO_MARKS, ScoreMarks
from seqmusic.score import Score

_WIDTH_PX, _MAX_HEIGHT_PX = 900, 12_000
# The one sound of all pages.
_SOUND = Path(__file__).parent.parent / "report" / "page_files" / "sound.js"
_PLAYER = Path(__file__).parent / "notebook.js"
_FRAME = (
    '<iframe srcdoc="{document}" sandbox="allow-scripts" title="Playback" '
    'width="180" height="46" style="border: 0"></iframe>'
)


def score_html(score: Score, caption: str = "", marks: ScoreMarks = NO_MARKS) -> str | None:
    """The picture of a score, a button that plays it, and a line of text; None without a picture.

    Args:
        score: what is shown.
        caption: any text.
        marks: what is printed with it.
    """
    try:
        pages = score_svg(score, size_px=(_WIDTH_PX, _MAX_HEIGHT_PX), marks=marks)
    except SeqmusicError:
        return None
    svg = re.sub(r">\s+<", "><", pages[0]).encode()
    picture = base64.b64encode(svg).decode("ascii")
    title = escape(score.title or repr(score), quote=True)
    image = f'<img src="data:image/svg+xml;base64,{picture}" alt="{title}">'
    return f"<div>{image}<br>{_playback_frame(score)} {escape(caption)}</div>"


def mime_bundle(
    score: Score, text: str, caption: str = "", marks: ScoreMarks = NO_MARKS
) -> dict[str, str]:
    """What a notebook shows of a score, by media type.

    Args:
        score: what is shown.
        text: where nothing but text can be shown.
        caption: a line below the picture.
        marks: what is printed with the score.
    """
    html = score_html(score, caption, marks)
    return {"text/plain": text} | ({} if html is None else {"text/html": html})


def _playback_frame(score: Score) -> str:
    data = {
        "secondsPerTick": score.seconds_per_tick,
        "notes": [
            [index, note.onset_ticks, note.end_ticks, note.pitch]
            for index, voice in enumerate(score.voices)
            for note in voice.notes
        ],
        "voices": len(score.voices),
    }
    script = "".join(path.read_text(encoding="utf-8") for path in (_SOUND, _PLAYER))
    document = (
        '<!doctype html><button id="play">▶ play</button>'
        f"<script>const music = {json.dumps(data, separators=(',', ':'))};\n{script}</script>"
    )
    return _FRAME.format(document=escape(document, quote=True))
