"""Bad settings are refused in the same words from Python and from the command line."""

import dataclasses
import re
from pathlib import Path

import pytest

from seqmusic.cli import main
from seqmusic.model.settings import ModelSettings
from seqmusic.setting_checks import SettingError
from seqmusic.training.settings import TrainingSettings

SETTINGS = {"model": ModelSettings, "training": TrainingSettings}
NUMBERS = [
    (table, field.name)
    for table, settings in SETTINGS.items()
    for field in dataclasses.fields(settings)
    if type(field.default) in (int, float)
]


@pytest.mark.parametrize(
    ("table", "name", "value", "rule"),
    [
        ("model", "width", 100, "a multiple of 4 x heads (16), got 100; 96 is the nearest"),
        ("model", "layers", 0, "1 or more, got 0"),
        ("model", "context_length", 15, "16 or more, got 15"),
        ("model", "dropout", 1.0, "0 or more and below 1, got 1.0"),
        ("model", "dropout", float("nan"), "a finite number, got nan"),
        ("model", "normalization", "laye", "one of layer, rms, none, got 'laye'; did you mean"),
        ("model", "relative_output", "maybe", "true or false, got 'maybe'"),
        ("training", "batch_size", 0, "1 or more, got 0"),
        ("training", "steps", "many", "a whole number, got 'many'"),
        ("training", "learning_rate", 0.0, "more than 0, got 0.0"),
        ("training", "warmup", 1.1, "in 0..1, got 1.1"),
        ("training", "averaging", 1.0, "0 or more and below 1, got 1.0"),
        ("training", "optimizer", "foo", "one of adamw, adam, sgd, rmsprop, adagrad, got 'foo'"),
        ("training", "schedule", "cos", "one of constant, linear, cosine, got 'cos'; did you mean"),
        ("training", "precision", "half", "one of auto, float32, bfloat16, got 'half'"),
    ],
)
def test_bad_settings_are_refused(
    table: str, name: str, value: object, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingError, match=re.escape(f"{name} must be {rule}")):
        SETTINGS[table](**{name: value})
    option = f"--{table}.{name}"
    assert main(["train", "--out", "x", option, str(value)]) == 2
    assert f"seqmusic: {option}: [{table}] {name} must be {rule}" in capsys.readouterr().err
    assert not Path("x").exists()


@pytest.mark.parametrize(("table", "name"), NUMBERS)
def test_every_number_has_a_lower_bound(table: str, name: str) -> None:
    with pytest.raises(SettingError, match=f"{name} must be"):
        SETTINGS[table](**{name: -1})


@pytest.mark.parametrize(("name", "value"), [("steps", 2.0), ("steps", True), ("clip", "1")])
def test_values_of_another_type_are_refused(name: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"{name} must be a"):
        TrainingSettings(**{name: value})  # type: ignore[arg-type]


def test_a_whole_number_is_a_number() -> None:
    assert TrainingSettings(clip=2, l1=0).clip == 2
