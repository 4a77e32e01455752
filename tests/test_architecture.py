"""The architecture, as rules on the imports; each rule is also tested on a breach of it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import seqmusic

ROOT = Path(__file__).resolve().parent.parent

PUBLIC_NAMES = {
    *("__version__", "SeqmusicError"),
    *("Score", "Voice", "Note", "TimeSignature", "Key", "melody"),
    *("read_score", "write_score", "parse_theme", "theme_text", "load_chorales"),
    *("encode", "decode", "normalized", "trace", "Trace"),
    *("read_configuration", "train_run", "load_model"),
    *("continuation", "harmonization", "regeneration", "revision", "stream"),
    *("Request", "Candidate", "Rule", "Task", "compose_run"),
    *("next_sounds", "likeliest_key"),
    *("transform", "Transformation", "MotetSettings", "ChoraleSettings"),
}
"""The public interface: whoever adds or removes a name decides so here as well."""

MUSIC = (
    *("array_types", "score", "score_data", "meter", "tonality", "spelling"),
    *("counterpoint", "pitch_grid", "formats", "corpus", "tokens"),
)
LEARNING = ("model", "training")
JOINING = (
    *("runs", "generation", "metrics", "baselines", "evaluation", "benchmarks", "experiments"),
    *("report", "recognition", "transformation", "alignment", "studio", "cli"),
)
# How a score draws itself in a notebook.
LATE_IMPORTS = {("seqmusic.score", "seqmusic.formats.notebook")}
OWNERS = {
    "miditoolkit": r"seqmusic\.formats\.midi\.\w+",
    "numba": r"seqmusic\.model\.decoding\.compiled_kernels",
    "mido": r"seqmusic\.formats\.midi\.\w+",
    "music21": r"seqmusic\.formats\.notation\.\w+",
    "verovio": r"seqmusic\.formats\.image",
    "resvg_py": r"seqmusic\.formats\.image",
}
PICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
# Put together from parts, or this file would break its own rule.
MACHINE_TEXT = re.compile(
    "|".join(("/wo" + "rk/", "/tm" + "p/", "/ro" + "ot/", "py" + "pi\\.org", "python" + "hosted"))
)

Modules = Mapping[str, str]
"""Source texts by the names of their modules."""


def modules() -> dict[str, str]:
    found = {}
    for path in sorted((ROOT / "seqmusic").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = path.read_text(encoding="utf-8")
    return found


def imports(name: str, known: Modules) -> set[str]:
    """What a module imports, except under TYPE_CHECKING; names of seqmusic as modules."""
    found: set[str] = set()
    is_package = any(other.startswith(f"{name}.") for other in known)
    for node in _runtime_nodes(ast.parse(known[name])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = _absolute_module(name, is_package, node)
            found |= {
                full if (full := f"{home}.{alias.name}") in known else home for alias in node.names
            }
        elif isinstance(node, ast.Call) and _callee(node) in (
            "importlib.import_module",
            "import_module",
            "__import__",
        ):
            found |= {
                arg.value
                for arg in node.args[:1]
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            }
    return found


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    yield tree
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield from _runtime_nodes(child)


def _absolute_module(name: str, is_package: bool, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    parts = parts[: len(parts) - node.level + is_package]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _callee(node: ast.Call) -> str:
    return ast.unparse(node.func)


def package_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "seqmusic" and len(parts) > 1 else ""


def layer_breaches(known: Modules) -> list[str]:
    breaches = []
    for name in known:
        for used in sorted(imports(name, known)):
            if package_of(name) in MUSIC and (
                used.split(".")[0] == "torch" or package_of(used) in LEARNING + JOINING
            ):
                breaches.append(f"{name} is music, and imports {used}")
            belongs_elsewhere = used.split(".")[0] in OWNERS and not re.fullmatch(
                OWNERS[used.split(".")[0]], name
            )
            if package_of(name) in LEARNING and (
                belongs_elsewhere or package_of(used) in MUSIC + JOINING
            ):
                breaches.append(f"{name} is learning, and imports {used}")
    return breaches


def import_cycle(known: Modules) -> list[str]:
    """Modules that import each other in a cycle, the first again at the end; empty without one."""
    edges = {
        name: {
            used
            for used in imports(name, known)
            if used in known and (name, used) not in LATE_IMPORTS
        }
        for name in known
    }
    finished: set[str] = set()

    def search(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in finished:
            for used in sorted(edges[name]):
                if cycle := search(used, [*path, name]):
                    return cycle
            finished.add(name)
        return []

    return next((cycle for name in sorted(known) if (cycle := search(name, []))), [])


def owner_breaches(known: Modules) -> list[str]:
    return [
        f"{name} imports {used}"
        for name in known
        for used in sorted(imports(name, known))
        if (owner := OWNERS.get(used.split(".")[0])) and not re.fullmatch(owner, name)
    ]


def pickle_breaches(known: Modules) -> list[str]:
    breaches = []
    for name, source in known.items():
        breaches += [
            f"{name} imports {used}"
            for used in sorted(imports(name, known))
            if used.split(".")[0] in PICKLES
        ]
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call):
                allowed = [
                    keyword
                    for keyword in node.keywords
                    if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False"
                ]
                if allowed or _callee(node).endswith("torch.load"):
                    breaches.append(f"{name}:{node.lineno} reads pickles: {ast.unparse(node)}")
            if (
                isinstance(node, ast.ImportFrom)
                and node.module == "torch"
                and "load" in [alias.name for alias in node.names]
            ):
                breaches.append(f"{name}:{node.lineno} imports torch.load")
    return breaches


def test_music_and_learning_meet_only_where_they_should() -> None:
    assert layer_breaches(modules()) == []


def test_there_is_no_import_cycle() -> None:
    assert import_cycle(modules()) == []


def test_each_library_of_a_format_is_imported_in_one_place() -> None:
    assert owner_breaches(modules()) == []


def test_nothing_reads_pickles() -> None:
    assert pickle_breaches(modules()) == []


@pytest.mark.parametrize(
    ("rule", "breach", "message"),
    [
        (
            layer_breaches,
            {"seqmusic.tokens.x": "def f():\n    import torch.nn"},
            "tokens.x is music, and imports torch.nn",
        ),
        (
            layer_breaches,
            {"seqmusic.score": "from seqmusic.model import transformer"},
            "score is music, and imports seqmusic.model",
        ),
        (
            layer_breaches,
            {"seqmusic.corpus.x": "import importlib\nimportlib.import_module('torch')"},
            "imports torch",
        ),
        (
            layer_breaches,
            {"seqmusic.model.x": "from seqmusic import score", "seqmusic.score": ""},
            "imports seqmusic.score",
        ),
        (
            layer_breaches,
            {"seqmusic.training.x": "from ..tokens import y", "seqmusic.tokens.y": ""},
            "imports seqmusic.tokens.y",
        ),
        (
            layer_breaches,
            {"seqmusic.training.x": "from seqmusic.formats.midi.file import f"},
            "imports seqmusic.formats.midi.file",
        ),
        (
            layer_breaches,
            {"seqmusic.model.x": "try:\n    import music21\nexcept ImportError:\n    pass"},
            "imports music21",
        ),
        (
            import_cycle,
            {
                "seqmusic.a": "from seqmusic import b",
                "seqmusic.b": "def f():\n    from seqmusic.a import g",
            },
            "seqmusic.b",
        ),
        (import_cycle, {"seqmusic.a": "from .a import x"}, "seqmusic.a"),
        (
            import_cycle,
            {"seqmusic.a": "from .b import c", "seqmusic.a.b": "import seqmusic.a"},
            "seqmusic.a.b",
        ),
        (
            owner_breaches,
            {"seqmusic.corpus.x": "from music21 import note"},
            "seqmusic.corpus.x imports music21",
        ),
        (
            owner_breaches,
            {"seqmusic.formats.notation.file": "import mido.messages"},
            "imports mido.messages",
        ),
        (owner_breaches, {"seqmusic.web.x": "import verovio"}, "imports verovio"),
        (pickle_breaches, {"seqmusic.a": "import pickle"}, "imports pickle"),
        (
            pickle_breaches,
            {"seqmusic.a": "x = torch.load(path, weights_only=True)"},
            "seqmusic.a:1 reads pickles",
        ),
        (
            pickle_breaches,
            {"seqmusic.a": "np.load(path, allow_pickle=True)"},
            "seqmusic.a:1 reads pickles",
        ),
        (pickle_breaches, {"seqmusic.a": "from torch import load"}, "imports torch.load"),
    ],
)
def test_each_rule_sees_its_breach(rule: object, breach: dict[str, str], message: str) -> None:
    assert callable(rule)
    assert message in " ".join(rule(breach))


@pytest.mark.parametrize(
    ("rule", "lawful"),
    [
        (
            layer_breaches,
            {"seqmusic.training.x": "from seqmusic.atomic_files import write_atomic\nimport torch"},
        ),
        (
            layer_breaches,
            {
                "seqmusic.generation.x": "import torch\nfrom seqmusic.tokens import y",
                "seqmusic.tokens.y": "",
            },
        ),
        (
            import_cycle,
            {
                "seqmusic.a": "if typing.TYPE_CHECKING:\n    import seqmusic.b",
                "seqmusic.b": "import seqmusic.a",
            },
        ),
        (
            import_cycle,
            {
                "seqmusic.score": "import seqmusic.formats.notebook",
                "seqmusic.formats.notebook": "import seqmusic.score",
            },
        ),
        (import_cycle, {"seqmusic.a": "from .b import x", "seqmusic.a.b": "import numpy"}),
        (pickle_breaches, {"seqmusic.a": "np.load(path, allow_pickle=False)"}),
    ],
)
def test_no_rule_sees_a_breach_in_lawful_code(rule: object, lawful: dict[str, str]) -> None:
    assert callable(rule)
    assert rule(lawful) == []


@pytest.mark.parametrize(
    ("rooms", "unwanted"), [(MUSIC, ("torch",)), (LEARNING, ("music21", "miditoolkit", "verovio"))]
)
def test_importing_one_column_does_not_load_the_other(
    rooms: tuple[str, ...], unwanted: tuple[str, ...]
) -> None:
    names = [name for name in modules() if package_of(name) in rooms]
    code = f"import {', '.join(['sys', *names])}; print(sorted({set(unwanted)} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_the_public_names_are_those_listed() -> None:
    assert set(getattr(seqmusic, "__all__", ["__version__"])) == PUBLIC_NAMES
    assert all(hasattr(seqmusic, name) for name in PUBLIC_NAMES)


def test_no_file_names_a_folder_of_one_machine() -> None:
    kinds = {".py", ".sh", ".md", ".toml", ".txt", ".html", ".js", ".css"}
    folders = [
        ROOT / name
        for name in (
            "seqmusic",
            "tests",
            "scripts",
            "configs",
            "docs",
            ".ci",
            "benchmarks",
            "examples",
        )
    ]
    files = [
        p for folder in folders for p in folder.rglob("*") if p.suffix in kinds or p.name == "run"
    ]
    files += [p for p in ROOT.iterdir() if p.suffix in kinds]
    found = {
        str(p.relative_to(ROOT)): m[0]
        for p in files
        if p.is_file() and (m := MACHINE_TEXT.search(p.read_text(encoding="utf-8")))
    }
    assert found == {}
    assert len(files) > 10
