"""A run as a folder that needs nothing of this project: a script and a notebook in plain PyTorch, data and weights.

train.py  train.ipynb    `assets/script/train.py` with the run's options
records.json             the training split
model.safetensors        what the training begins with
gpt2.tiktoken            the vocabulary
"""

import json
import os
import pprint
import re
import shutil
from pathlib import Path

from ift.config import TrainConfig
from ift.data.records import Dataset, split
from ift.data.templates import Template
from ift.errors import ConfigError, RunError
from ift.masks import PROMPT_ROLES
from ift.model.gpt2_config import GPT2Config
from ift.model.hf_model import write_model
from ift.model.load_by_name import load_model
from ift.paths import ASSETS
from ift.runs.folder import Run

SCRIPT = ASSETS / "script" / "train.py"
LEFT_OUT = ("r", "resid_pdrop", "embd_pdrop", "attn_pdrop", "group_by_length", "early_stopping_patience")
"""Options that the script does not know: with one of them its losses would be others."""


def write_stand_alone(run: Run, dataset: Dataset, out: Path) -> Path:
    """Write the folder; what is there is whole or not there.

    The script computes in fp32. Its losses are those of a run without bf16, but for rounding.

    Args:
        run: its options decide the script.
        dataset: the one that the run was made with.
        out: the folder to make.

    Raises:
        ConfigError: the run has an option that the script does not know.
        RunError: the folder can't be made, or is taken.
        ModelError: the model that the run began from can't be read.
    """
    config, template = run.config.options, run.config.template
    _require_known(config)
    if out.exists():
        raise RunError("There is something already", where=str(out), fix="Give a new folder with --out.")
    model = load_model(config.model)
    staged = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        write_model(model, staged)
        for extra in staged.iterdir():
            if extra.name != "model.safetensors":
                extra.unlink()
        records = [dataset.examples[i] for i in split(dataset.examples).train]
        fields = ("instruction", "input", "output")
        texts = [{name: getattr(record, name) for name in fields} for record in records]
        (staged / "records.json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
        shutil.copyfile(ASSETS / "tokenizer" / "gpt2.tiktoken", staged / "gpt2.tiktoken")
        text = script(config, template, model.config, rows=len(records))
        (staged / "train.py").write_text(text, encoding="utf-8")
        (staged / "train.ipynb").write_text(json.dumps(notebook(text), indent=1), encoding="utf-8")
        os.replace(staged, out)
    except OSError as error:
        fix = "Give a folder that can be made."
        raise RunError(f"The script can't be written: {error.strerror}", where=str(out), fix=fix) from error
    return out


def script(config: TrainConfig, template: Template, shape: GPT2Config, *, rows: int) -> str:
    """The text of train.py for these options; `rows`: of the training split."""
    weights = {
        role.label: config.prompt_loss_weight if role in PROMPT_ROLES else 1.0 for role in sorted(config.trained)
    }
    layout = {
        name: [(part.text, role.label, part.is_field) for part, role in template.laid_out(has_input=has_input)]
        for name, has_input in (("without_input", False), ("with_input", True))
    }
    options = {
        "HEADS": shape.n_head,
        "LAYERS": shape.n_layer,
        "EPSILON": shape.layer_norm_epsilon,
        "LAYOUT": layout,
        "WEIGHTS": weights,
        "AHEAD": int(config.shift_targets),
        "MAX_LENGTH": min(shape.n_positions, config.max_length or shape.n_positions),
        "ROWS_PER_BATCH": config.per_device_train_batch_size,
        "BATCHES_PER_STEP": config.gradient_accumulation_steps * config.world_size,
        "STEPS": config.total_steps(rows),
        "WARMUP_STEPS": config.warmup_steps,
        "SCHEDULE": config.lr_scheduler_type,
        "LEARNING_RATE": config.learning_rate,
        "WEIGHT_DECAY": config.weight_decay,
        "MAX_GRAD_NORM": config.max_grad_norm,
        "SEED": config.seed,
    }
    text = SCRIPT.read_text(encoding="utf-8")
    for name, value in options.items():
        shown = pprint.pformat(value, width=110, sort_dicts=False)
        found = re.findall(rf"^{name} = [^#\n]+?(?=$|  #)", text, flags=re.M)
        if len(found) != 1:
            raise RuntimeError(f"{SCRIPT.name} has no single line for {name}")
        text = text.replace(found[0], f"{name} = {shown}", 1)
    return text


def notebook(text: str) -> dict[str, object]:
    """The script as a notebook: a cell for each part that begins with `# %%`."""
    head, *parts = re.split(r"^# %% ?", text, flags=re.M)
    docstring, _, imports = head.removeprefix('"""').partition('"""')
    cells = [_cell("markdown", docstring.strip()), _cell("code", imports.strip())]
    for part in parts:
        title, _, code = part.partition("\n")
        cells += [_cell("markdown", f"## {title}"), _cell("code", code.strip())]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, source: str) -> dict[str, object]:
    code: dict[str, object] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True), **code}


def _require_known(config: TrainConfig) -> None:
    default = TrainConfig()
    for name in LEFT_OUT:
        if getattr(config, name) != getattr(default, name):
            what = f"The stand-alone script does not know {name}"
            fix = "Leave it out, or rebuild the run with `python -m ift train --from`."
            raise ConfigError(what, where=f"{name}: {getattr(config, name)}", fix=fix)
