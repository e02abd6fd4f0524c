"""`import ift`: what a notebook needs, loaded at its first use; the README's Python lines run as they are."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ift
from ift.runs.folder import open_run
from ift.runs.state import State

ROOT = Path(__file__).resolve().parents[1]


def readme_lines():
    (block,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    return block


def test_the_python_lines_of_the_readme_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(readme_lines(), "README.md", "exec"), {})
    first, *steps, _ = capsys.readouterr().out.splitlines()
    assert first.startswith("(8, ")
    assert [int(line.split()[0]) for line in steps] == list(range(1, 21))
    assert open_run(tmp_path / "runs" / "notebook").state() is State.FINISHED


def test_import_loads_neither_torch_nor_numpy():
    program = "import sys, ift; dir(ift); print(sorted({'torch', 'numpy', 'tiktoken', 'requests'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_building_a_batch_loads_no_torch():
    program = "import sys, ift; ift.batch_for; ift.load_dataset; ift.train; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_every_name_is_there_and_has_help():
    assert set(ift.__all__) <= set(dir(ift))
    assert [name for name in ift.__all__ if not getattr(ift, name).__doc__] == []


def test_mypy_sees_the_same_names_from_the_same_modules():
    """The lazy table and the imports for types only are two lists of one thing."""
    (block,) = (node for node in ast.parse(Path(ift.__file__).read_text(encoding="utf-8")).body if type(node) is ast.If)
    typed = {node.module: tuple(alias.name for alias in node.names) for node in block.body}
    assert typed == ift._MODULES
    assert sorted(ift._HOMES) == ift.__all__


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="'ift' has no attribute 'fine_tune'"):
        _ = ift.fine_tune


def test_a_loop_that_is_left_leaves_a_stopped_run(tmp_path, names):
    for event in ift.train(ift.TrainConfig(**names, max_steps=3), out=tmp_path / "left"):
        if isinstance(event, ift.Stepped):
            break
    assert open_run(tmp_path / "left").state() is State.STOPPED


def test_evaluation_scores_what_training_left(tmp_path, names):
    list(ift.train(ift.TrainConfig(**names, max_steps=1), out=tmp_path / "run"))
    list(ift.evaluate(tmp_path / "run", ift.EvaluationOptions(sample=1, max_new_tokens=2)))
    assert ift.open_run(tmp_path / "run").scores.n == 1
