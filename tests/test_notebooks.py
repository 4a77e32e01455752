"""The notebooks run from their first cell to the last, and what they store is small."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MAX_BYTES = 250_000


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["classe", "experiments", "first_hour"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_notebook_runs_and_is_small(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert path.stat().st_size < MAX_BYTES
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent))
    notebook = nbformat.read(path, as_version=4)
    stored = [cell.get("outputs", []) for cell in notebook.cells]
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    for cell, before in zip(notebook.cells, stored, strict=True):
        kinds = {output.output_type for output in cell.get("outputs", [])}
        assert kinds == {output.output_type for output in before}, cell.source
