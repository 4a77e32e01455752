"""Checks that settings, which are frozen dataclasses, make of their values in `__post_init__`."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
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
    """Refuse values of another type than their fields; a whole number also counts as a number.

    Raises:
        SettingError: a value is of another type, infinite or not a number.
    """
    for name, kind in get_type_hints(type(settings)).items():
        value = getattr(settings, name)
        allowed = (float, int) if kind is float else (kind,)
        if type(value) not in allowed:
            raise SettingError(name, _TYPE_NAMES[kind], value)
        if kind is float and not math.isfinite(value):
            raise SettingError(name, "a finite number", value)


def check_at_least(settings: Any, lowest: int, *names: str) -> None:
    """Refuse values below `lowest`.

    Raises:
        SettingError: a value is lower.
    """
    for name in names:
        if getattr(settings, name) < lowest:
            raise SettingError(name, f"{lowest} or more", getattr(settings, name))


def check_positive(settings: Any, *names: str) -> None:
    """Refuse values of 0 or less.

    Raises:
        SettingError: a value is 0 or less.
    """
    for name in names:
        if getattr(settings, name) <= 0:
            raise SettingError(name, "more than 0", getattr(settings, name))


def check_share(settings: Any, *names: str) -> None:
    """Refuse values outside 0..1.

    Raises:
        SettingError: a value is outside.
    """
    for name in names:
        if not 0 <= getattr(settings, name) <= 1:
            raise SettingError(name, "in 0..1", getattr(settings, name))


def check_below_one(settings: Any, *names: str) -> None:
    """Refuse values that are negative, or 1 or more.

    Raises:
        SettingError: a value is outside.
    """
    for name in names:
        if not 0 <= getattr(settings, name) < 1:
            raise SettingError(name, "0 or more and below 1", getattr(settings, name))


def check_choice(settings: Any, name: str, choices: Sequence[str]) -> None:
    """Refuse a value that is none of the choices.

    Raises:
        SettingError: the value is another one; the message suggests a choice of similar spelling.
    """
    value = getattr(settings, name)
    if value not in choices:
        similar = difflib.get_close_matches(value, choices, 1)
        hint = f"; did you mean {similar[0]!r}?" if similar else ""
        raise SettingError(name, f"one of {', '.join(choices)}", value, hint)
