"""Trees of XML documents that are neither too deep nor too large, and texts in them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from typing import Any

import defusedxml
from defusedxml.ElementTree import XMLParser

from seqmusic.errors import CorruptFileError, FormatError, abbreviated

_MAX_ELEMENTS = 1_000_000
_MAX_DEPTH = 100
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,6})?")


class _BoundedTreeBuilder(ElementTree.TreeBuilder):
    """Builds the tree of a document that is neither too deep nor too large."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._n_elements = 0

    def start(self, tag: Any, attrs: Any, /) -> Any:
        self._depth += 1
        self._n_elements += 1
        if self._depth > _MAX_DEPTH:
            rule = f"at most {_MAX_DEPTH} are read"
            raise CorruptFileError(f"elements stand {self._depth} deep in each other; {rule}")
        if self._n_elements > _MAX_ELEMENTS:
            rule = f"holds more than {_MAX_ELEMENTS:,} elements"
            raise FormatError(f"{rule}; split it into shorter files")
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Any:
        self._depth -= 1
        return super().end(tag)


def checked_root(data: bytes) -> ElementTree.Element:
    """The root of an XML document that has no entities and is neither too deep nor too large.

    Raises:
        CorruptFileError: it declares entities, or is too deep.
        FormatError: it is too large.
        xml.etree.ElementTree.ParseError, ValueError, LookupError: it is no XML document.
    """
    parser = XMLParser(target=_BoundedTreeBuilder())
    try:
        parser.feed(data)
        root: ElementTree.Element = parser.close()
    except defusedxml.EntitiesForbidden as error:
        rule = "declares XML entities, which no score needs"
        raise CorruptFileError(f"{rule}; they are not expanded") from error
    return root


def text_of(element: ElementTree.Element, path: str) -> str:
    """The text of the first element on a path, on one line; "" where there is none."""
    return " ".join((element.findtext(path) or "").split())


def number_in(tag: str, text: str | None, limit: float) -> Fraction:
    """The number in an element.

    Raises:
        CorruptFileError: there is none, or one that is not read.
    """
    stripped = (text or "").strip()
    found = f"holds <{tag}> {abbreviated(stripped)!r}"
    if not _NUMBER.fullmatch(stripped):
        raise CorruptFileError(f"{found}; a number of at most {limit} is read")
    number = Fraction(stripped)
    if abs(number) > limit:
        raise CorruptFileError(f"{found}; at most {limit} is read")
    return number
