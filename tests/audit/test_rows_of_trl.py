"""Rows that TRL's own trainer makes, dumped as docs/inspect.md shows."""

import json
import re
from pathlib import Path

import pytest
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from ift.cli import main
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.export.hf_folder import write_hf_folder
from tests.helpers import tiny_model

pytestmark = pytest.mark.filterwarnings("ignore")  # of three libraries about each other
DOCS = Path(__file__).resolve().parents[2] / "docs" / "inspect.md"
RECORDS = load_dataset("starter").examples[:40]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_hf_folder(tiny_model(n_positions=256), folder, load_template("alpaca"), base_model="starter")
    return folder


def trainer_of(folder, out, dataset, **options):
    arguments = SFTConfig(output_dir=str(out), report_to=[], use_cpu=True, bf16=False, **options)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    return SFTTrainer(model=model, args=arguments, train_dataset=dataset, processing_class=tokenizer)


def prompts_and_completions():
    template = load_template("alpaca")
    rendered = [template.render(example) for example in RECORDS]
    return Dataset.from_list([{"prompt": row.prompt, "completion": row.response} for row in rendered])


def conversations():
    rows = [
        [{"role": "user", "content": one.instruction}, {"role": "assistant", "content": one.output}] for one in RECORDS
    ]
    return Dataset.from_list([{"messages": messages} for messages in rows])


def dump(trainer, path):
    """Run the very lines that the page about it shows for TRL."""
    lines = re.search(r"```python\n(# TRL.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[1]
    exec(lines, {"trainer": trainer, "path": str(path)})
    return path


def codes(path, tokenizer, capsys):
    capsys.readouterr()
    assert main(["inspect", str(path), "--tokenizer", str(tokenizer), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["rows"] > 0
    return {finding["code"]: finding for finding in shown["findings"]}, shown


def test_completions_alone_are_faultless(model_folder, tmp_path, capsys):
    trainer = trainer_of(model_folder, tmp_path, prompts_and_completions(), completion_only_loss=True)
    found, shown = codes(dump(trainer, tmp_path / "rows.jsonl"), model_folder, capsys)
    assert found == {}
    assert shown["rows"] == len(RECORDS)
    assert shown["trained_share"] < 0.5


def test_without_completion_only_loss_the_prompt_is_trained(model_folder, tmp_path, capsys):
    trainer = trainer_of(model_folder, tmp_path, prompts_and_completions(), completion_only_loss=False)
    found, _ = codes(dump(trainer, tmp_path / "rows.jsonl"), model_folder, capsys)
    assert list(found) == ["prompt-trained"]


def test_our_chat_template_marks_the_answers(model_folder, tmp_path, capsys):
    trainer = trainer_of(model_folder, tmp_path, conversations(), assistant_only_loss=True)
    found, shown = codes(dump(trainer, tmp_path / "rows.jsonl"), model_folder, capsys)
    assert found == {}
    assert 0 < shown["trained_share"] < 0.5


def test_a_length_limit_cuts_rows(model_folder, tmp_path, capsys):
    trainer = trainer_of(model_folder, tmp_path, prompts_and_completions(), max_length=44, completion_only_loss=True)
    found, _ = codes(dump(trainer, tmp_path / "rows.jsonl"), model_folder, capsys)
    assert "row-cut" in found
    assert set(found) <= {"row-cut", "nothing-trained"}
