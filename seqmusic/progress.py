"""Progress of long work: the package reports it, and the running program decides how to show it.

Nothing is drawn by default. The command line draws bars inside `progress_shown_by`; any program may
do so with another display.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Protocol, TypeVar

T = TypeVar("T")


class ProgressBar(Protocol):
    """One piece of work, which goes on in steps."""

    def update(self, n: int = 1) -> object:
        """Report `n` more steps."""

    def set_postfix_str(self, s: str) -> object:
        """Show a short text beside the bar, such as the loss."""


class Display(Protocol):
    """Makes a bar that is shown while its context lasts."""

    def __call__(
        self, *, total: int | None, desc: str, unit: str, initial: int
    ) -> AbstractContextManager[ProgressBar]:
        """A bar of `total` steps, None if unknown, of which `initial` are done."""


class _Hidden:
    def update(self, n: int = 1) -> None:
        pass

    def set_postfix_str(self, s: str) -> None:
        pass


_display: ContextVar[Display | None] = ContextVar("display", default=None)


@contextmanager
def progress_shown_by(display: Display) -> Iterator[None]:
    """Show progress with `display` for as long as the context lasts, in this thread."""
    token = _display.set(display)
    try:
        yield
    finally:
        _display.reset(token)


def progress_bar(
    total: int | None, description: str, unit: str, initial: int = 0
) -> AbstractContextManager[ProgressBar]:
    """A bar for work whose steps are reported by `update`.

    >>> with progress_bar(3, "reading", "file") as bar:
    ...     bar.update()
    """
    display = _display.get()
    if display is None:
        return nullcontext(_Hidden())
    return display(total=total, desc=description, unit=unit, initial=initial)


def track(items: Iterable[T], description: str, unit: str, total: int | None = None) -> Iterator[T]:
    """The items, each reported as a step when the next one is requested.

    >>> list(track("abc", "reading", "letter"))
    ['a', 'b', 'c']
    """
    n_items = getattr(items, "__len__", None)
    with progress_bar(n_items() if total is None and n_items else total, description, unit) as bar:
        for item in items:
            yield item
            bar.update()
