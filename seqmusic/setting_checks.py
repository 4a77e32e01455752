"""Checks that settings, which are frozen dataclasses, make of their values in `__post_init__`.

Each check raises a SettingError for the first value that it refuses.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

_TYPE_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


class SettingError(ValueError):
    """A setting with a value that is not allowed.

    >>> SettingError("layers", "1 or more", 0)
    SettingError('layers must be 1 or more, got 0')

    Attributes:
        name: of the setting.
    """

    def __init__(self, name: str, rule: str, value: object, hint: str = "") -> None:
        super().__init__(f"{name} must be {rule}, got {value!r}{hint}")
        self.name = name


def check_types(settings: Any) -> None:
    """Refuse values of another type than their fields; a whole number also counts as a number."""
    for name, kind in get_type_hints(type(settings)).items():
        value = getattr(settings, name)
        if type(value) not in ((float, int) if kind is float else (kind,)):
            raise SettingError(name, _TYPE_NAMES[kind], value)
        if kind is float and not math.isfinite(value):
            raise SettingError(name, "a finite number", value)


def check_at_least(settings: Any, lowest: int, *names: str) -> None:
    """Refuse values below `lowest`."""
    _check(settings, names, f"{lowest} or more", lambda value: value >= lowest)


def check_positive(settings: Any, *names: str) -> None:
    """Refuse values of 0 or less."""
    _check(settings, names, "more than 0", lambda value: value > 0)


def check_share(settings: Any, *names: str) -> None:
    """Refuse values outside 0..1."""
    _check(settings, names, "in 0..1", lambda value: 0 <= value <= 1)


def check_below_one(settings: Any, *names: str) -> None:
    """Refuse values that are negative, or 1 or more."""
    _check(settings, names, "0 or more and below 1", lambda value: 0 <= value < 1)


def check_choice(settings: Any, name: str, choices: Sequence[str]) -> None:
    """Refuse a value that is none of the choices, and suggest one of similar spelling."""
    value = getattr(settings, name)
    if value not in choices:
        similar = difflib.get_close_matches(value, choices, 1)
        hint = f"; did you mean {similar[0]!r}?" if similar else ""
        raise SettingError(name, f"one of {', '.join(choices)}", value, hint)


def _check(
    settings: Any, names: Sequence[str], rule: str, is_allowed: Callable[[float], bool]
) -> None:
    for name in names:
        if not is_allowed(getattr(settings, name)):
            raise SettingError(name, rule, getattr(settings, name))
