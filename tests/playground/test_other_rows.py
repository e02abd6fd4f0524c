"""Rows of another trainer: kept with their tokenizer, audited, and shown in the grid as they are."""

import json
from pathlib import Path

import pytest

from ift.data.tokenizer import encode_text
from ift.errors import DataError
from ift.types import EOS_ID
from playground import caches
from playground.context import Context
from playground.lens.draw import draw
from playground.lens.other_rows import MOST_TOKENS
from playground.lens.queries import linter, losses
from playground.lens.state import View
from playground.settings import Mode, Settings
from playground.tokenized_uploads import is_rows, keep_rows, load_rows

PROMPT, ANSWER = encode_text("Name it: "), encode_text("a fox")
IDS = [*PROMPT, *ANSWER, EOS_ID]
GOOD = {"input_ids": IDS, "labels": [*[-100] * len(PROMPT), *ANSWER, EOS_ID]}
MASKED_EOS = {"input_ids": IDS, "labels": [*[-100] * len(PROMPT), *ANSWER, -100]}
PADDED = {
    "input_ids": [*IDS, EOS_ID, EOS_ID],
    "labels": [*GOOD["labels"], EOS_ID, EOS_ID],
    "attention_mask": [*[1] * len(IDS), 0, 0],
}
SHIFTED = {"input_ids": IDS, "labels": [*[-100] * (len(PROMPT) - 1), *ANSWER, EOS_ID, -100]}


@pytest.fixture
def context(tmp_path):
    return Context(Settings(home=tmp_path, mode=Mode.PUBLIC))


@pytest.fixture
def keep(context, tmp_path):
    def keep(*rows, name="rows.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return str(keep_rows(context.settings.uploads, path, None))

    return keep


def shown(context, name, **view):
    value = draw(context, View(data=name, **view), "starter", None)
    return json.loads(value["batch"]), value


def test_the_grid_shows_ids_and_labels_as_they_are(context, keep):
    batch, _ = shown(context, keep(GOOD, PADDED, SHIFTED))
    n = len(IDS) - 1
    assert batch["inputs"][0][:n] == IDS[:-1]
    assert batch["next"][0][:n] == IDS[1:]
    assert batch["trained"][0] == "0" * (len(PROMPT) - 1) + "1" * (len(ANSWER) + 1) + "00"
    assert batch["trained"][1].endswith("111")
    assert batch["lengths"] == [n, n, n]
    assert batch["next"][2][len(PROMPT) - 2] == ANSWER[0]  # a wrong label is the target that it is
    assert "".join(text for _, text in batch["segments"][0]) == "Name it: a fox<|endoftext|>"


def test_the_chips_are_the_audits_at_the_rows_of_the_file(context, keep):
    name = keep(GOOD, MASKED_EOS, GOOD, PADDED, SHIFTED)
    _, value = shown(context, name, first=3, size=2)
    assert 'data-code="padding-trained"' in value["message"]
    assert 'data-row="3"' in value["message"]
    assert 'data-code="labels-shifted"' in value["message"]
    assert "eos-masked" not in value["message"]
    report = linter(context)({"stamp": value["stamp"]})
    assert report["complete"]
    assert 'data-code="eos-masked"' in report["html"]


def test_rows_of_gpt2_have_losses_and_unknown_ids_are_shown(context, keep):
    batch, value = shown(context, keep(GOOD, {"input_ids": [5, 60_000], "labels": [-100, 60_000]}), size=1)
    assert len(losses(context)({"stamp": value["stamp"]})["before"][0]) == batch["width"]
    batch, _ = shown(context, keep({"input_ids": [5, 60_000], "labels": [-100, 60_000]}))
    assert batch["pieces"]["60000"] == "<60000?>"


def test_rows_can_be_looked_at_only(context, keep, monkeypatch):
    name = keep(GOOD)
    assert is_rows(name)
    with pytest.raises(DataError, match="not trained on"):
        caches.dataset(name)
    monkeypatch.chdir(Path(name).parent)
    assert not is_rows("starter")


def test_rows_that_cannot_be_read_are_told(context, keep):
    with pytest.raises(DataError, match="labels is missing"):
        keep({"input_ids": [1, 2]})
    upload = load_rows(keep({"input_ids": [1]}, GOOD))
    assert (list(upload.records), upload.report.problems[0].row) == ([1], 0)


def test_a_row_of_any_length_is_drawn_to_a_limit(context, keep):
    long = {"input_ids": [5] * 9_000, "labels": [5] * 9_000}
    assert shown(context, keep(long))[0]["width"] == MOST_TOKENS
