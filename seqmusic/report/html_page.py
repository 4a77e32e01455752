"""Self-contained HTML pages, which open offline.

They load nothing, and the browser runs no script in them but theirs.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).parent / "page_files"


def html_page(name: str, data: object, parts: Mapping[str, str]) -> str:
    """A page from the template NAME.html, the style NAME.css and the scripts sound.js and NAME.js.

    Its content security policy has the hash of the script: a browser runs no other script in it,
    and loads nothing.

    Args:
        name: of the files in page_files.
        data: what the script reads, as JSON.
        parts: HTML for the other placeholders of the template.
    """
    script = _read("sound.js") + _read(f"{name}.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return Template(_read(f"{name}.html")).substitute(
        parts,
        style=_read(f"{name}.css"),
        script=script,
        script_hash=digest,
        data=_script_json(data),
    )


def static_page(name: str, parts: Mapping[str, str]) -> str:
    """A page without a script from the template NAME.html, with HTML for its placeholders."""
    return Template(_read(f"{name}.html")).substitute(parts)


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _script_json(value: object) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
