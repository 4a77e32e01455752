"""A whole configuration: read from TOML and the command line, checked, and written back."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from seqmusic.errors import ConfigurationError
from seqmusic.model.settings import ModelSettings
from seqmusic.setting_checks import SettingError
from seqmusic.training.settings import DistillationSettings, TrainingSettings

_BOOLEANS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


@dataclass(frozen=True)
class Configuration:
    """Everything that decides a run."""

    model: ModelSettings
    training: TrainingSettings
    distillation: DistillationSettings = field(default_factory=DistillationSettings)


_TABLES: dict[str, Any] = get_type_hints(Configuration)


class _Entry(NamedTuple):
    """A value given for a key of a table, and the place of it that an error message names."""

    table: str
    key: str
    value: object
    location: str


def read_configuration(
    path: Path | None = None, overrides: Mapping[str, object] | None = None
) -> Configuration:
    """The configuration in a TOML file, with defaults for missing keys; `overrides` replace both.

    Args:
        path: the file, or the name of one that comes with seqmusic, such as ``quick``; None stands
            for the defaults.
        overrides: values by table and key, such as ``{"model.dropout": "0.2"}``; texts are
            converted to the type of the key.

    Raises:
        ConfigurationError: the file is missing or no TOML, a table or key is unknown, or a value
            is not allowed.

    >>> read_configuration(None, {"training.batch-size": "8"}).training.batch_size
    8
    """
    entries = [] if path is None else list(_file_entries(path))
    entries += _override_entries(overrides or {})
    by_table: dict[str, dict[str, _Entry]] = {table: {} for table in _TABLES}
    for entry in entries:
        by_table[entry.table][entry.key] = entry
    file = "" if path is None else f"{path}: "
    return Configuration(
        **{table: _make_settings(table, given, file) for table, given in by_table.items()}
    )


def configuration_text(configuration: Configuration) -> str:
    """The complete configuration as TOML; `read_configuration` reads the same one from it."""
    tables = []
    for table, values in dataclasses.asdict(configuration).items():
        rows = [f"{key} = {_to_toml(value)}" for key, value in values.items()]
        tables.append("\n".join([f"[{table}]", *rows]) + "\n")
    return "\n".join(tables)


def _file_entries(path: Path) -> Iterator[_Entry]:
    for table, values in _read_toml(path).items():
        _check_known(table, _TABLES, f"{path}: unknown table [{table}]")
        if not isinstance(values, dict):
            raise ConfigurationError(
                f"{path}: {table} must be a table, got {values!r}; "
                f"write [{table}] with its keys below"
            )
        for key, value in values.items():
            location = f"{path}: [{table}]"
            kind = _type_of(table, key, location)
            yield _Entry(table, key, _converted(value, kind), location)


def _override_entries(overrides: Mapping[str, object]) -> Iterator[_Entry]:
    for option, value in overrides.items():
        table, _, key = option.replace("-", "_").partition(".")
        _check_known(table, _TABLES, f"--{option}: unknown table [{table}]")
        location = f"--{option}: [{table}]"
        kind = _type_of(table, key, location)
        parse = _parsed if isinstance(value, str) else _converted
        yield _Entry(table, key, parse(value, kind), location)


def _make_settings(table: str, entries: Mapping[str, _Entry], file: str) -> Any:
    """The settings of a table."""
    try:
        return _TABLES[table](**{key: entry.value for key, entry in entries.items()})
    except SettingError as error:
        entry = entries.get(error.name)
        location = entry.location if entry else f"{file}[{table}]"
        raise ConfigurationError(f"{location} {error}") from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        text = _locate(Path(path)).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path}: there is no such file; `quick` and `tiny` name those that come with seqmusic"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not text in UTF-8 (byte {error.start})") from error
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error


def _locate(path: Path) -> Path:
    """The path itself, or the file that comes with seqmusic if the path is only a name."""
    if path.suffix or path.is_file() or path.name != str(path):
        return path
    package = Path(__file__).parent.parent
    shipped = (folder / "configs" / f"{path.name}.toml" for folder in (package, package.parent))
    return next((file for file in shipped if file.is_file()), path)


def _check_known(name: str, names: Iterable[str], problem: str) -> None:
    known = list(names)
    if name not in known:
        similar = difflib.get_close_matches(name, known, 1, 0.5)
        similar += [other for other in known if name.endswith(other)]
        remedy = f"did you mean {similar[0]!r}?" if similar else f"known are {', '.join(known)}"
        raise ConfigurationError(f"{problem}; {remedy}")


def _type_of(table: str, key: str, location: str) -> type:
    kinds = get_type_hints(_TABLES[table])
    _check_known(key, kinds, f"{location} unknown key {key!r}")
    kind: type = kinds[key]
    return kind


def _parsed(text: Any, kind: type) -> object:
    """The text in the type of its key; unchanged where it cannot be converted."""
    if kind is bool:
        return _BOOLEANS.get(text.strip().lower(), text)
    try:
        parsed: object = kind(text.strip())
    except ValueError:
        return text
    return parsed


def _converted(value: object, kind: type) -> object:
    """A whole number as a float where a float is due; other values unchanged."""
    if kind is not float or type(value) is not int:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _to_toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
