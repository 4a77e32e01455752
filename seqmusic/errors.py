"""What can go wrong outside the program, as one family.

A wrong argument is a ``ValueError``; a wrong file, checkpoint, corpus or configuration is one of
these::

    SeqmusicError
    ├── FormatError          a file that cannot be read or written as a score
    │   ├── CorruptFileError     its bytes break the rules of its own format
    │   └── ThemeError           a typed theme with a wrong token (`position` says where)
    ├── UnencodableError     a score that the token grammar cannot express
    ├── CorpusError          a corpus that is missing, empty, or was changed
    ├── ConfigurationError   a configuration with an unknown key or a bad value
    ├── CheckpointError      a model folder that is missing, damaged, or of another kind
    ├── DeviceError          a device that does not exist
    ├── ProcessError         one of several processes that train together has ended
    ├── RequestError         a request that no music can satisfy
    │   └── DeadEndError         no attempt came to an end; another seed may
    ├── PreferenceError      preferences that cannot be read, or that nothing can be learned from
    └── MissingExtraError    an optional part that is not installed
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class SeqmusicError(Exception):
    """Anything wrong with input from outside the program; its text is one clear line."""


class FormatError(SeqmusicError):
    """A file that cannot be read or written as a score."""


class CorruptFileError(FormatError):
    """A file whose bytes break the rules of its own format."""


class ThemeError(FormatError):
    """A typed theme with a wrong token.

    Attributes:
        position: where the token starts in the text, counting from 1.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class UnencodableError(SeqmusicError):
    """A score that the token grammar cannot express."""


class CorpusError(SeqmusicError):
    """A corpus that is missing, empty, or was changed since it was prepared."""


class ConfigurationError(SeqmusicError):
    """A configuration with an unknown key or a bad value."""


class CheckpointError(SeqmusicError):
    """A model folder that is missing, damaged, or of another kind."""


class DeviceError(SeqmusicError):
    """A device that does not exist."""


class ProcessError(SeqmusicError):
    """One of several processes that train together has ended, or cannot be reached."""


class RequestError(SeqmusicError):
    """A request that no music can satisfy."""


class DeadEndError(RequestError):
    """A request for which no attempt came to an end; another seed may."""


class PreferenceError(SeqmusicError):
    """Preferences that cannot be read, or that nothing can be learned from."""


class MissingExtraError(SeqmusicError):
    """An optional part that is not installed; the text names the command that installs it."""


def abbreviated(text: str, max_characters: int = 40) -> str:
    """The beginning of a text, enough to recognize it in an error message.

    >>> abbreviated("a very long name", max_characters=9)
    'a very...'
    """
    return text if len(text) <= max_characters else f"{text[: max_characters - 3]}..."


@contextmanager
def located(location: object) -> Iterator[None]:
    """Puts a location, such as a path, before the text of a FormatError that is raised inside.

    >>> with located("a.mid"):
    ...     raise FormatError("holds no notes")
    Traceback (most recent call last):
    seqmusic.errors.FormatError: a.mid: holds no notes
    """
    try:
        yield
    except FormatError as error:
        raise type(error)(f"{location}: {error}") from error.__cause__
