"""The house's own rules: imports go one way, no circle, no file name twice, no folder too full, torch stays away."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = (
    "errors",
    "plurals",
    "options",
    "json_fields",
    "roles",
    "masks",
    "types",
    "events",
    "paths",
    "data_options",
    "config",
)
LAYERS = (
    *SHARED,
    "data",
    "runs",
    "audit",
    "model",
    "export",
    "training",
    "evaluation",
    "experiments",
    "starter",
    "cli",
)
"""From the lowest to the highest: a module may import from its own layer and from those before it."""
MOST_FILES = 18
LONGEST_LINE = 120
WEB = ROOT / "assets" / "web"
ALLOWED_TWICE = {"__init__.py"}


def modules(package: str) -> dict[str, Path]:
    files = sorted((ROOT / package).rglob("*.py"))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imported(path: Path, known: set[str]) -> Iterator[str]:
    """The project's own modules that a file names, those within functions and for types only too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from (name for name in (inner if inner in known else node.module,) if name in known)


def graph(package: str) -> dict[str, set[str]]:
    found = modules(package)
    return {name: set(imported(path, set(found))) - {name} for name, path in found.items()}


def layer(module: str) -> int:
    """Of the library: its `__init__` gives everything by name, its `__main__` calls the command line."""
    parts = module.split(".")
    return LAYERS.index(parts[1]) if len(parts) > 1 and parts[1] in LAYERS else len(LAYERS)


def circle(edges: dict[str, set[str]]) -> list[str]:
    """The modules of one import circle, or none: what is left when all without open imports are taken away."""
    left = {name: set(others) for name, others in edges.items()}
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


def test_imports_go_one_way():
    edges = graph("ift")
    upward = [f"{name} → {other}" for name, others in edges.items() for other in others if layer(other) > layer(name)]
    assert [edge for edge in upward if not edge.endswith("→ ift")] == []  # `ift` itself is only asked for its version


@pytest.mark.parametrize("package", ["ift", "playground"])
def test_there_is_no_circle(package):
    edges = graph(package)
    edges.pop("ift", None)  # gives everything by name, lazily
    assert circle(edges) == []


def test_a_circle_would_be_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


def test_the_library_does_not_know_the_page():
    named = {
        alias.name.partition(".")[0] if isinstance(node, ast.Import) else (node.module or "").partition(".")[0]
        for path in modules("ift").values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not named & {"gradio", "playground", "plotly"}


def test_no_file_name_stands_for_two_things():
    names = Counter(path.name for path in modules("ift").values())
    assert {name for name, count in names.items() if count > 1} <= ALLOWED_TWICE


@pytest.mark.parametrize("package", ["ift", "playground", "assets/web"])
def test_no_folder_is_too_full(package):
    folders = Counter(path.parent for suffix in ("py", "js") for path in (ROOT / package).rglob(f"*.{suffix}"))
    crowded = {
        folder: count for folder, count in folders.items() if count - (folder / "__init__.py").exists() > MOST_FILES
    }
    assert crowded == {}


def test_no_line_of_javascript_is_too_long():
    files = [path for folder in ("assets", "tests") for path in (ROOT / folder).rglob("*.js")]
    files = [path for path in files if "node_modules" not in path.parts]  # what npm installs is others'
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > LONGEST_LINE
    ]
    assert files
    assert long == []


def test_modules_of_javascript_import_each_other_one_way():
    paths = {path.resolve(): path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js")}
    edges = {
        name: {
            paths[(path.parent / other).resolve()]
            for other in re.findall(r'^(?:import|export)[^;]*? from "(\.[^"]+)"', path.read_text("utf-8"), re.MULTILINE)
        }
        for path, name in paths.items()
    }
    assert sum(map(len, edges.values())) > len(edges)  # they were read
    assert circle(edges) == []


@pytest.mark.parametrize("package", ["ift", "ift.data", "ift.runs", "ift.audit", "ift.cli", "playground"])
def test_torch_is_not_loaded_before_it_is_needed(package):
    names = [name for name in modules(package.partition(".")[0]) if name == package or name.startswith(f"{package}.")]
    names = [
        name for name in names if package != "ift" or (layer(name) < LAYERS.index("model") and name != "ift.__main__")
    ]
    program = f"import sys\nfor name in {names}: __import__(name)\nprint('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
