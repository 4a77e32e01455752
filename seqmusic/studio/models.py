"""The models that a page may choose from: that of the server, and those trained in its folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from seqmusic.corpus.works_table import WORKS_FILE, kept_styles, read_works
from seqmusic.errors import CheckpointError, SeqmusicError
from seqmusic.generation.candidate_files import training_copied_notes
from seqmusic.model.decoding.packed_model import ArrayModel
from seqmusic.runs.pretrained import load_array_model, load_model, model_folder
from seqmusic.runs.weights import WEIGHTS_FILE
from seqmusic.score import Score
from seqmusic.studio.errors import StudioError
from seqmusic.transformation.transform import style_folder

if TYPE_CHECKING:
    from seqmusic.model.transformer import Transformer

DEFAULT_NAME = "default"


class Models:
    """Loads each model at its first use. All methods may be called from any thread.

    Args:
        model: the server's model, as `model_folder` takes it.
        folder: where trained models lie, a run in each subfolder.

    Raises:
        CheckpointError: there is no such model.
    """

    def __init__(self, model: Path | None, folder: Path) -> None:
        self._default = model_folder(model)
        if not (self._default / WEIGHTS_FILE).is_file():
            raise CheckpointError(f"{self._default}: no trained model there; name another --model")
        self.folder = folder
        self._lock = threading.RLock()
        self._arrays: dict[str, ArrayModel] = {}
        self._modules: dict[str, Transformer] = {}
        self._copied_notes: Callable[[Score], int] | None = None

    def folders(self) -> Mapping[str, Path]:
        """The folder of each model, by its name; the default first."""
        trained = sorted(self.folder.glob(f"*/{WEIGHTS_FILE}"))
        return {DEFAULT_NAME: self._default} | {path.parent.name: path.parent for path in trained}

    def path(self, name: str) -> Path:
        """The folder of a model.

        Raises:
            StudioError: there is none with this name any more.
        """
        folder = self.folders().get(name)
        if folder is None:
            raise StudioError("model", "this model is no longer there; the default one is chosen")
        return folder

    def array_model(self, name: str) -> ArrayModel:
        """The model as arrays, which composes.

        Raises:
            StudioError, CheckpointError: it is not there, or damaged.
        """
        with self._lock:
            if name not in self._arrays:
                self._arrays[name] = load_array_model(self.path(name), compiled=False)
            return self._arrays[name]

    def motet_model(self, style: str) -> tuple[ArrayModel, Path]:
        """The included model that composes motets in a style, and its folder.

        Raises:
            ValueError: there is no such style.
        """
        folder = style_folder(style)
        with self._lock:
            if str(folder) not in self._arrays:
                self._arrays[str(folder)] = load_array_model(folder, compiled=False)
            return self._arrays[str(folder)], folder

    def module(self, name: str) -> Transformer:
        """The model as a module, which explains.

        Raises:
            StudioError, CheckpointError: it is not there, or damaged.
        """
        with self._lock:
            if name not in self._modules:
                self._modules[name] = load_model(self.path(name))
            return self._modules[name]

    def styles(self, name: str) -> tuple[str, ...]:
        """The styles that a model has learned by name."""
        try:
            return tuple(kept_styles(read_works(self.path(name) / WORKS_FILE).values()))
        except (SeqmusicError, OSError):
            return ()

    def copied_notes(self, score: Score) -> int:
        """Notes of the longest passage that a training work of the default model has, too."""
        with self._lock:
            if self._copied_notes is None:
                self._copied_notes = training_copied_notes(self._default)
            return self._copied_notes(score)
