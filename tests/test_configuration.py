"""A configuration is read from TOML and options, and wrong ones are refused with their location."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqmusic.errors import ConfigurationError
from seqmusic.model.settings import ModelSettings
from seqmusic.runs.configuration import Configuration, configuration_text, read_configuration
from seqmusic.training.settings import OPTIMIZERS, SCHEDULES, TrainingSettings

ROOT = Path(__file__).resolve().parent.parent


def write_configuration(folder: Path, text: str) -> Path:
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_every_setting_has_its_default() -> None:
    assert read_configuration() == Configuration(ModelSettings(), TrainingSettings())


def test_overrides_replace_the_file_which_replaces_defaults(tmp_path: Path) -> None:
    path = write_configuration(
        tmp_path, '[model]\nlayers = 3\ndropout = 0\n[training]\noptimizer = "sgd"\nsteps = 7\n'
    )
    overrides = {"training.steps": "9", "training.batch-size": "5", "model.dropout": 0.25}
    assert read_configuration(path, overrides) == Configuration(
        ModelSettings(layers=3, dropout=0.25),
        TrainingSettings(optimizer="sgd", steps=9, batch_size=5),
    )


def test_whole_numbers_become_numbers(tmp_path: Path) -> None:
    path = write_configuration(tmp_path, "[training]\nminutes = 2\n")
    training = read_configuration(path, {"training.clip": "3"}).training
    assert (type(training.minutes), type(training.clip)) == (float, float)


@given(
    heads=st.integers(1, 9),
    share=st.floats(0, 0.99),
    rate=st.floats(0, 1e9, exclude_min=True),
    optimizer=st.sampled_from(OPTIMIZERS),
    schedule=st.sampled_from(SCHEDULES),
)
def test_reading_is_the_inverse_of_writing(
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
        for field in dataclasses.fields(settings):
            assert re.search(rf"^{field.name} = ", text, re.MULTILINE)


@pytest.mark.parametrize("name", ["quick", "tiny"])
def test_shipped_configurations_are_found_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()  # a folder of that name does not hide them
    assert read_configuration(Path(name)) == read_configuration(ROOT / "configs" / f"{name}.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\nlayer = 4\n", "small.toml: [model] unknown key 'layer'; did you mean 'layers'?"),
        ("[model]\nn_layers = 4\n", "[model] unknown key 'n_layers'; did you mean 'layers'?"),
        ("[modle]\nlayers = 4\n", "small.toml: unknown table [modle]; did you mean 'model'?"),
        ("[zzz]\n", "unknown table [zzz]; known are model, training"),
        ("model = 3\n", "small.toml: model must be a table, got 3"),
        ("[model]\nlayers = 4.0\n", "[model] layers must be a whole number, got 4.0"),
        ("[model]\nlayers = true\n", "[model] layers must be a whole number, got True"),
        ('[training]\nminutes = "2"\n', "[training] minutes must be a number, got '2'"),
        ("[training]\nlearning_rate = nan\n", "learning_rate must be a finite number, got nan"),
        (f"[training]\nclip = 1{400 * '0'}\n", "clip must be a finite number, got inf"),
        ("[training]\noptimizer = 1\n", "[training] optimizer must be a text, got 1"),
        ("[training]\nsteps = 0\n", "small.toml: [training] steps must be 1 or more, got 0"),
        ("[model]\nwidth = 100\n", "small.toml: [model] width must be a multiple of 4 x heads"),
        ("[model]\nheads = 5\n", "small.toml: [model] width must be a multiple of 4 x heads (20)"),
        ("[model\n", "small.toml: is not TOML: "),
        ("a = " + "[" * 5000, "small.toml: is not TOML: "),
    ],
)
def test_a_wrong_file_is_refused_with_the_location(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        read_configuration(write_configuration(tmp_path, text))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("model.dropout", "much", "--model.dropout: [model] dropout must be a number, got 'much'"),
        ("model.layers", "2.5", "[model] layers must be a whole number, got '2.5'"),
        ("model.dropout", "inf", "[model] dropout must be a finite number, got inf"),
        ("training.step", "3", "--training.step: [training] unknown key 'step'; did you mean"),
        ("model", "3", "--model: [model] unknown key ''"),
        ("modell.layers", "3", "--modell.layers: unknown table [modell]; did you mean 'model'?"),
        ("model.width", "9", "--model.width: [model] width must be a multiple of 4 x heads (16)"),
    ],
)
def test_a_wrong_override_is_refused_with_its_option(option: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        read_configuration(None, {option: value})


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: there is no such file; `quick`"):
        read_configuration(tmp_path / "none.toml")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        read_configuration(tmp_path)
    path = tmp_path / "latin.toml"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"is not text in UTF-8 \(byte 5\)"):
        read_configuration(path)
