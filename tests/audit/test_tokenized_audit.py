"""The audit of token ids and labels: every planted fault is found, and none where there is none."""

import json

import numpy as np
import pytest

from ift.audit.tokenized_audit import CODES, SpecialIds, audit
from ift.cli import main
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.data.tokenized_rows import read_rows
from ift.data.tokenizer import encode
from ift.types import EOS_ID

ENDS = frozenset({EOS_ID})
BOS = 50000
WIDTH = 96


def rows_of(count=20, *, mask_prompt=True):
    """What a faultless trainer makes of the starter's first records: padded on the right."""
    template = load_template("alpaca")
    made = []
    for example in load_dataset("starter").examples[:count]:
        row = encode(template.render(example))
        ids, labels = row.ids.tolist(), row.ids.tolist()
        if mask_prompt:
            labels[: len(row.prompt_ids)] = [-100] * len(row.prompt_ids)
        pads = WIDTH - len(ids)
        made.append(
            {
                "input_ids": ids + [EOS_ID] * pads,
                "labels": labels + [-100] * pads,
                "attention_mask": [1] * len(ids) + [0] * pads,
            }
        )
    return made


def found(rows, *, bos=None):
    report = audit(read_rows(rows, pad_id=EOS_ID, eos_ids=ENDS), SpecialIds(ENDS, bos, EOS_ID, EOS_ID + 1))
    assert report.problems == ()
    return {finding.code: finding for finding in report.findings}


def size(row):
    return sum(row["attention_mask"])


def without_eos(row):
    n = size(row) - 1
    row["attention_mask"][n], row["labels"][n] = 0, -100


def masked_eos(row):
    row["labels"][size(row) - 1] = -100


def nothing(row):
    row["labels"] = [-100] * WIDTH


def padding(row):
    row["labels"][-1] = EOS_ID


def shifted(row):
    row["labels"] = [*row["labels"][1:], -100]


def differing(row):
    row["labels"][size(row) - 2] = 7


def two_bos(row):
    for name, values in {"input_ids": [BOS, BOS], "labels": [-100, -100], "attention_mask": [1, 1]}.items():
        row[name] = values + row[name]


def prompt_too(row):
    row["labels"][: size(row)] = row["input_ids"][: size(row)]


def unknown(row):
    row["input_ids"][3] = EOS_ID + 1


PLANTED = {
    "eos-missing": without_eos,
    "eos-masked": masked_eos,
    "nothing-trained": nothing,
    "padding-trained": padding,
    "labels-shifted": shifted,
    "labels-differ": differing,
    "double-bos": two_bos,
    "prompt-trained": prompt_too,
    "unknown-id": unknown,
}


def test_faultless_rows_have_no_finding():
    assert found(rows_of(400)) == {}


@pytest.mark.parametrize("code", PLANTED)
def test_a_planted_fault_is_the_one_finding(code):
    rows = rows_of()
    for number in (2, 5, 11):
        PLANTED[code](rows[number])
    findings = found(rows, bos=BOS)
    assert list(findings) == [code]
    assert (findings[code].rows, findings[code].examples) == (3, (2, 5, 11))


def test_every_fault_is_planted():
    assert {*PLANTED, "row-cut", "packed-together", "duplicate"} == set(CODES)


def test_rows_that_end_at_one_length_are_cut():
    rows = rows_of()
    limit = sorted(map(size, rows))[-6]
    for row in rows:
        row["attention_mask"] = [int(t < limit) * real for t, real in enumerate(row["attention_mask"])]
        row["labels"] = [label if t < limit else -100 for t, label in enumerate(row["labels"])]
    findings = found(rows)
    assert {"row-cut"} <= set(findings) <= {"row-cut", "nothing-trained"}  # some lose the whole answer
    assert 2 <= findings["row-cut"].rows <= 5


def test_packed_documents_that_see_each_other():
    documents = [
        {name: values[: size(row)] for name, values in row.items()} for row in rows_of() if row["attention_mask"]
    ]
    packed = [
        {name: [token for row in documents[i : i + 4] for token in row[name]] for name in documents[0]}
        for i in range(0, len(documents), 4)
    ]
    assert list(found(packed)) == ["packed-together"]
    for i, row in enumerate(packed):
        row["position_ids"] = [t for document in documents[4 * i : 4 * i + 4] for t in range(size(document))]
    assert found(packed) == {}
    for i, row in enumerate(packed):
        del row["position_ids"]
        row["seq_lengths"] = [size(document) for document in documents[4 * i : 4 * i + 4]]
    assert found(packed) == {}


def test_ends_of_turns_are_no_packing():
    """ChatML's end-of-text ends every turn; only what begins as rows do is another document."""
    turns = [[5, 6, 7, i, EOS_ID, 8, 5, 9, i, EOS_ID, 8, 5, 6] for i in range(20)]
    rows = [{"input_ids": [*ids, EOS_ID], "labels": [*[-100] * 4, *ids[4:], EOS_ID]} for ids in turns]
    assert found(rows) == {}


def test_repeats_are_a_note():
    rows = rows_of()
    findings = found([*rows, rows[3]])
    assert [(one.code, one.severity.value, one.examples) for one in findings.values()] == [("duplicate", "note", (20,))]


def test_all_prompts_trained_is_a_note():
    findings = found(rows_of(mask_prompt=False))
    assert [(one.code, one.severity.value) for one in findings.values()] == [("prompt-trained", "note")]


def test_padding_without_a_mask_is_what_follows_the_first_end():
    rows = rows_of()
    for row in rows:
        del row["attention_mask"]
    assert found(rows) == {}


def test_shares_count_what_the_model_compares():
    row = {"input_ids": [1, 2, EOS_ID], "labels": [1, 2, EOS_ID]}  # nothing stands before the first
    report = audit(read_rows([row], pad_id=None, eos_ids=ENDS), SpecialIds(ENDS, None, None, 60000))
    assert (report.tokens, report.trained) == (3, 2)


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        ({"labels": [1]}, "input_ids", "is missing"),
        ({"input_ids": [1]}, "labels", "is missing"),
        ({"input_ids": [], "labels": []}, "input_ids", "is empty"),
        ({"input_ids": "12", "labels": [1, 2]}, "input_ids", "not a list"),
        ({"input_ids": [1.5], "labels": [1]}, "input_ids", "no integer"),
        ({"input_ids": [True], "labels": [1]}, "input_ids", "no integer"),
        ({"input_ids": [2**70], "labels": [1]}, "input_ids", "no vocabulary"),
        ({"input_ids": [-1], "labels": [-100]}, "input_ids", "no token"),
        ({"input_ids": [1], "labels": [-1]}, "labels", "only -100"),
        ({"input_ids": [1, 2], "labels": [1]}, "labels", "1 values, input_ids 2"),
        ({"input_ids": [1, 2], "labels": [1, 2], "seq_lengths": [3]}, "seq_lengths", "adds up to 3"),
        ({"input_ids": [[1], [2]], "labels": [1, 2]}, "input_ids", "no integer"),
    ],
)
def test_rows_that_can_not_be_read_are_listed(row, field, said):
    good = {"input_ids": [1, EOS_ID], "labels": [-100, EOS_ID]}
    report = audit(read_rows([good, row], pad_id=None, eos_ids=ENDS), SpecialIds(ENDS, None, None, 60000))
    assert [(one.row, one.field) for one in report.problems] == [(1, field)]
    assert said in report.problems[0].problem
    assert report.rows == 1


@pytest.fixture
def rows_file(tmp_path):
    rows = rows_of()
    masked_eos(rows[4])
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_command_shows_findings_and_rows(rows_file, capsys):
    assert main(["inspect", str(rows_file), "--rows", "4"]) == 0
    shown = capsys.readouterr().out
    assert "warning, eos-masked: The end-of-text token is there, but its label is -100. 1 row (4)." in shown
    assert "·Response" in shown
    assert main(["inspect", str(rows_file), "--json", "--fail_on", "warning"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["examples"] == [4]
    assert main(["inspect", str(rows_file), "--fail_on", "eos-missing,double-bos"]) == 0


def test_the_command_refuses_what_it_can_not_read(rows_file, tmp_path, capsys):
    for options, said in (
        ((str(tmp_path / "none.jsonl"),), "can't be read"),
        ((str(rows_file), "--fail_on", "eos"), "no finding"),
        ((str(rows_file), "--rows", "20"), "positions from 0 to 19"),
        ((str(rows_file), "--tokenizer", str(rows_file)), "tokenizer can't be read"),
    ):
        assert main(["inspect", *options]) == 2
        assert said in capsys.readouterr().err
    rows_file.write_text('{"input_ids": [1], "labels": [1]}\n{"input_ids": [1]}\n')
    assert main(["inspect", str(rows_file)]) == 2
    assert "row 1: labels is missing" in capsys.readouterr().out


def test_arrays_are_read_as_lists():
    row = {"input_ids": np.array([1, EOS_ID]), "labels": np.array([1, EOS_ID])}
    (read,) = read_rows([row], pad_id=None, eos_ids=ENDS)
    assert read.ids.tolist() == [1, EOS_ID]
