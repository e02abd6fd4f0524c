"""A run is rebuilt from its config.json bit for bit, and by a script that needs nothing of this project."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from ift.cli import main
from ift.events import Stepped
from ift.runs.folder import Run
from tests.helpers import signals_kept, write_records

FIRST_STEPS = 20


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_folder):
    """A run of 20 steps with what makes a script differ: two batches per step, a mask, weights, cosine and clipping."""
    home = tmp_path_factory.mktemp("rebuild")
    data, template = write_records(home / "records.json", range(40)), home / "own.txt"
    template.write_text("Ask: {{instruction}}{{#input}} ({{input}}){{/input}}\nSay:{{output}}!", encoding="utf-8")
    options = {
        "model": tiny_folder,
        "data": data,
        "template": template,
        "train_on": "instruction,header,response,eos",
        "prompt_loss_weight": 0.25,
        "max_steps": FIRST_STEPS,
        "per_device_train_batch_size": 3,
        "gradient_accumulation_steps": 2,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 4,
        "max_grad_norm": 0.5,
        "max_length": 30,
        "bf16": "false",
        "eval_steps": 1000,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with signals_kept():
        assert main(["train", "--out", str(home / "first"), *words]) == 0
    return Run(home / "first")


def losses(run):
    return [event.loss for event in run.training.read()[0] if isinstance(event, Stepped)]


def test_a_config_alone_rebuilds_the_run_bit_for_bit(trained, tmp_path):
    recipe = shutil.copy(trained.path / "config.json", tmp_path / "run.json")
    (trained.path.parent / "own.txt").unlink()  # the config has the template's text
    with signals_kept():
        assert main(["train", "--from", str(recipe), "--out", str(tmp_path / "again")]) == 0
    again = Run(tmp_path / "again")
    assert losses(again) == losses(trained)
    assert len(losses(again)) == FIRST_STEPS
    assert again.config == trained.config


@pytest.mark.parametrize("words", [["--seed", "1"], ["--preset", "book"]])
def test_a_run_is_rebuilt_with_its_own_options_only(trained, tmp_path, capsys, words):
    assert main(["train", "--from", str(trained.path), "--out", str(tmp_path / "x"), *words]) == 2
    assert "rebuilt with the options it has" in capsys.readouterr().err


def test_other_records_and_another_torch_are_noticed(trained, tmp_path, capsys):
    value = json.loads((trained.path / "config.json").read_text())
    value["versions"]["torch"] = "1.0"
    value["data"]["sha256"] = "0" * 64
    (tmp_path / "run.json").write_text(json.dumps(value))
    assert main(["train", "--from", str(tmp_path / "run.json"), "--out", str(tmp_path / "x")]) == 2
    said = capsys.readouterr().err
    assert "made with torch 1.0" in said
    assert "not the one that the run was made with" in said
    assert not (tmp_path / "x").exists()


def needed_by(*names):
    """These distributions and all that they need."""
    found, left = set(), [*names]
    while left:
        name = left.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        try:
            needs = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        left += [re.match(r"[\w.-]+", need)[0] for need in needs if "extra ==" not in need]
    return found


def linked(site, names):
    """A folder that has these distributions and nothing else."""
    site.mkdir()
    for name in names:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            (site / top).symlink_to(distribution(name).locate_file(top))
    assert not (site / "safetensors").exists()
    assert not (site / "ift").exists()
    return site


def test_the_script_gives_the_same_losses_where_only_torch_numpy_and_tiktoken_are(trained, tmp_path, capsys):
    folder = tmp_path / "script"
    assert main(["export", str(trained.path), "--to", "script", "--out", str(folder)]) == 0
    assert "train.py" in capsys.readouterr().out
    notebook = json.loads((folder / "train.ipynb").read_text())
    code = "\n".join("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    compile(code, "train.ipynb", "exec")
    lines = [line for line in (folder / "train.py").read_text().splitlines() if not line.startswith("# %%")]
    assert [line for line in lines if line and line in code.splitlines()][-1] == lines[-1]

    site = linked(tmp_path / "site", needed_by("torch", "numpy", "tiktoken"))
    command = [sys.executable, "-S", str(folder / "train.py")]  # -S: without what else is installed here
    env = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    found = [float(loss) for loss in re.findall(r"loss ([\d.]+)", done.stdout)]
    assert found == pytest.approx(losses(trained), abs=1e-5)


def test_an_option_that_the_script_does_not_know_is_refused(trained, tmp_path, capsys):
    value = json.loads((trained.path / "config.json").read_text())
    value["config"]["resid_pdrop"] = 0.1
    copy = shutil.copytree(trained.path, tmp_path / "dropout")
    (copy / "config.json").write_text(json.dumps(value))
    assert main(["export", str(copy), "--to", "script", "--out", str(tmp_path / "x")]) == 2
    assert "does not know resid_pdrop" in capsys.readouterr().err
