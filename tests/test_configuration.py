import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.errors import ConfigurationError
from seqmusic.model.transformer import ModelSettings
from seqmusic.runs.configuration import Configuration, configuration_text, read_configuration
from seqmusic.training.settings import OPTIMIZERS, SCHEDULES, TrainingSettings

ROOT = Path(__file__).resolve().parent.parent


def write_configuration(folder: Path, text: str) -> Path:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_everything_has_its_default() -> None:
    assert read_configuration() == Configuration(ModelSettings(), TrainingSettings())


def test_the_file_wins_over_defaults_and_overrides_win_over_the_file(tmp_path: Path) -> None:
    path = write_configuration(
        tmp_path, '[model]\nlayers = 3\ndropout = 0\n[training]\noptimizer = "sgd"\nsteps = 7\n'
    )
    found = read_configuration(
        path, {"training.steps": "9", "training.batch-size": "5", "model.dropout": 0.25}
    )
    assert (found.model.layers, found.model.dropout, found.model.width) == (
        3,
        0.25,
        ModelSettings().width,
    )
    assert (found.training.optimizer, found.training.steps, found.training.batch_size) == (
        "sgd",
        9,
        5,
    )


def test_a_whole_number_where_a_number_is_due_becomes_one(tmp_path: Path) -> None:
    found = read_configuration(
        write_configuration(tmp_path, "[training]\nminutes = 2\n"), {"training.clip": "3"}
    ).training
    assert (type(found.minutes), type(found.clip)) == (float, float)


@given(
    heads=st.integers(1, 9),
    share=st.floats(0, 0.99),
    rate=st.floats(0, 1e9, exclude_min=True),
    optimizer=st.sampled_from(OPTIMIZERS),
    schedule=st.sampled_from(SCHEDULES),
)
def test_a_configuration_is_the_one_that_its_text_means(
    tmp_path_factory: pytest.TempPathFactory,
    heads: int,
    share: float,
    rate: float,
    optimizer: str,
    schedule: str,
) -> None:
    configuration = Configuration(
        ModelSettings(heads=heads, width=12 * heads, dropout=share),
        TrainingSettings(learning_rate=rate, optimizer=optimizer, schedule=schedule),
    )
    path = write_configuration(tmp_path_factory.getbasetemp(), configuration_text(configuration))
    assert read_configuration(path) == configuration


def test_the_text_is_complete() -> None:
    text = configuration_text(read_configuration())
    for settings in (ModelSettings, TrainingSettings):
        assert all(
            re.search(rf"^{field.name} = ", text, re.MULTILINE)
            for field in dataclasses.fields(settings)
        )


@pytest.mark.parametrize("name", ["quick", "tiny"])
def test_those_that_come_with_seqmusic_are_found_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_configuration(Path(name)) == read_configuration(ROOT / "configs" / f"{name}.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[model]\nlayer = 4\n", "small.toml: [model] unknown key 'layer'; did you mean 'layers'?"),
        ("[model]\nn_layers = 4\n", "[model] unknown key 'n_layers'; did you mean 'layers'?"),
        ("[modle]\nlayers = 4\n", "small.toml: unknown table [modle]; did you mean 'model'?"),
        ("[zzz]\n", "unknown table [zzz]; known are model, training"),
        ("model = 3\n", "small.toml: model must be a table, got 3"),
        ("[model]\nlayers = 4.0\n", "[model] layers must be a whole number, got 4.0"),
        ("[model]\nlayers = true\n", "[model] layers must be a whole number, got True"),
        ('[training]\nminutes = "2"\n', "[training] minutes must be a number, got '2'"),
        ("[training]\nlearning_rate = nan\n", "[training] learning_rate must be a finite number, got nan"),
        ("[training]\noptimizer = 1\n", "[training] optimizer must be a text, got 1"),
        (
            '[training]\noptimizer = "adamv"\n',
            "must be one of adamw, adam, sgd, rmsprop, adagrad, got 'adamv'; did you mean 'adam",
        ),
        ("[model]\ndropout = 1.5\n", "[model] dropout must be 0 or more and below 1, got 1.5"),
        ("[training]\nsteps = 0\n", "[training] steps must be 1 or more, got 0"),
        ("[training]\nlearning_rate = 0\n", "[training] learning_rate must be more than 0, got 0"),
        ("[training]\nwarmup = 1.1\n", "[training] warmup must be in 0..1, got 1.1"),
        ("[training]\nclip = -1\n", "[training] clip must be 0 or more, got -1"),
        (
            "[model]\nwidth = 100\n",
            "small.toml: [model] width must be a multiple of 4 x heads (16), got 100; 96 is the nearest",
        ),
        ("[model\n", "small.toml: is not TOML: "),
        ("a = " + "[" * 5000, "small.toml: is not TOML: "),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        read_configuration(write_configuration(tmp_path, text))


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("model.dropout", "much", "--model.dropout: [model] dropout must be a number, got 'much'"),
        ("model.layers", "2.5", "[model] layers must be a whole number, got '2.5'"),
        ("model.dropout", "inf", "[model] dropout must be a finite number, got inf"),
        (
            "training.step",
            "3",
            "--training.step: [training] unknown key 'step'; did you mean 'steps'?",
        ),
        ("model", "3", "--model: [model] unknown key ''"),
        ("modell.layers", "3", "--modell.layers: unknown table [modell]; did you mean 'model'?"),
        (
            "model.width",
            "9",
            "[model] width must be a multiple of 4 x heads (16), got 9; 16 is the nearest",
        ),
    ],
)
def test_a_wrong_override_is_refused_with_its_name(option: str, value: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        read_configuration(None, {option: value})


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"none\.toml: there is no such file; `quick` and `tiny`"
    ):
        read_configuration(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        read_configuration(tmp_path)
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"is not text in UTF-8 \(byte 5\)"):
        read_configuration(path)


def test_every_number_has_a_range_that_its_default_keeps() -> None:
    for name, settings in (("model", ModelSettings()), ("training", TrainingSettings())):
        for field in dataclasses.fields(settings):
            if isinstance(getattr(settings, field.name), int | float) and not isinstance(
                getattr(settings, field.name), bool
            ):
                with pytest.raises(ConfigurationError, match=f"{field.name} must be"):
                    read_configuration(None, {f"{name}.{field.name}": "-1"})


def test_a_folder_of_that_name_hides_no_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    assert read_configuration(Path("tiny"), {}) == read_configuration(
        ROOT / "configs" / "tiny.toml", {}
    )
