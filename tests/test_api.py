"""The public names of seqmusic, and the worked example of the README."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import seqmusic

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")


def test_the_readmes_python_runs(chorales: object, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if re.fullmatch(r"(\S+) +0\.\d{3}", line)]) == 5
    assert len([line for line in lines if line.startswith("G4 A4 B4 C5 | D5:1/2 B4 | ")]) == 2


def test_names_are_loaded_at_their_first_use() -> None:
    heavy = "{'torch', 'music21', 'numpy'}"
    code = f"import sys, seqmusic; seqmusic.Score; sys.exit(str({heavy} & set(sys.modules) or ''))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.strip()
        == ""
    )


def test_every_name_exists_and_type_checkers_import_it_from_its_module() -> None:
    source = Path(seqmusic.__file__).read_text(encoding="utf-8")
    for name in seqmusic.__all__:
        assert getattr(seqmusic, name) is not None
        if name != "__version__":
            statement = f"from seqmusic.{seqmusic._MODULE_OF[name]} import "
            imported = re.search(re.escape(statement) + r"(\([^)]*\)|.*)", source)
            assert imported is not None
            assert name in re.split(r"\W+", imported[1])
    with pytest.raises(AttributeError, match="no attribute 'Scroe'"):
        _ = seqmusic.Scroe
