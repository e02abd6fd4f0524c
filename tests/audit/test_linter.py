import numpy as np
import pytest

from ift.audit.batch_audit import batch_findings
from ift.audit.findings import Severity
from ift.audit.linter import EVERY, SAMPLE, lint
from ift.audit.tokenized_audit import SpecialIds, audit
from ift.data.batching import collate, select_trainable
from ift.data.bulk_encoding import encode_all
from ift.data.templates import Template, load_template
from ift.data.tokenized_rows import TokenizedRow
from ift.masks import TRAIN_ON
from ift.roles import Role
from ift.types import EOS_ID, IGNORE_INDEX, Example
from playground.views.lint import findings as html_of

ALPACA = load_template("alpaca")


def last(examples, source):
    *_, report = lint(examples, Template.parse(source))
    return report


def codes(examples, source):
    return {finding.code: finding for finding in last(examples, source).found}


def test_a_good_template_on_good_data_has_nothing_to_change():
    examples = [Example(f"Say hi {n}.", "to all", f"Hello {n} there.") for n in range(20)]
    assert [one.code for one in last(examples, ALPACA.source).found if one.severity is Severity.WARNING] == []


def test_a_blank_before_the_response_is_told_with_the_tokens_that_would_merge():
    found = codes([Example("Capital?", "", "Paris"), Example("Capital?", "", "Rome")], "{{instruction}}\nA: {{output}}")
    assert found["ends-with-space"].rows == 2
    border = found["unstable-boundary"]
    assert (border.rows, border.examples, border.severity) == (2, (0, 1), Severity.WARNING)
    assert any("·Paris" in line for line in border.details)


@pytest.mark.parametrize(
    ("source", "example", "code"),
    [
        ("{{instruction}}\nA:\n{{output}}", Example("x", "y", "z"), "field-left-out"),
        ("{{#input}}{{input}}{{/input}}{{instruction}}\n{{output}}", Example("x", "", "z"), "section-unused"),
        ("{{instruction}}{{output}}", Example("x", "", "z"), "no-separator"),
        ("{{instruction}}\n{{output}}", Example("x", "", " "), "empty-answer"),
        ("{{instruction}}\n{{output}}", Example("Repeat: the quick brown fox jumps", "", "the quick brown fox jumps"),
         "answer-in-prompt"),
        ("<|im_start|>{{instruction}}\n{{output}}", Example("x", "", "z"), "marker-in-template"),
        ("{{instruction}}\n{{output}}", Example("x <|endoftext|>", "", "z"), "end-of-text-in-data"),
        ("{{instruction}}\n{{output}}", Example("x", "", "z</s>"), "marker-in-data"),
        ("{{instruction}}\n{{output}}END", Example("x", "", "WEEKEND"), "ending-in-output"),
        ("{{instruction}}\n{{output}}\n", Example("x", "", "a\nb"), "white-space-ending"),
        ("{{instruction}}\n{{output}}", Example(" \n", "x", "z"), "empty-instruction"),
        ("{{instruction}}\n{{output}}", Example("x", "<noinput>", "z"), "placeholder"),
        ("{{instruction}}\n{{output}}", Example("x", "y", "N/A."), "placeholder"),
        ("{{instruction}}\n{{output}}", Example("x", "None", "z"), "placeholder"),
        ("{{instruction}}\n{{output}}", Example("x", "", "z\n\n### Instruction:\nDo."), "heading-in-output"),
        ("Q: {{instruction}}\nA: {{output}}", Example("x", "", "z\nQ: y"), "heading-in-output"),
        ("Answer this question briefly.\n{{instruction}}\n{{output}}",
         Example("x", "", "z. Answer this question briefly. y"), "heading-in-output"),
        ("{{instruction}}\n{{output}}", Example("x", "", "z\u200b"), "invisible-characters"),
        ("{{instruction}}\n{{output}}", Example("x\x07", "", "z"), "invisible-characters"),
        ("{{instruction}}\n{{output}}", Example("x", "a\u202eb", "z"), "bidirectional-characters"),
        ("{{instruction}}\n{{output}}", Example("x", "", "z", "train"), "split-empty"),
    ],
)  # fmt: skip
def test_each_thing_is_found_where_it_is_and_not_elsewhere(source, example, code):
    assert code in codes([example], source)
    good = [Example(f"Say hi {n}.", "to all", f"None of the {n}\n\tpeople: yes 👩\u200d🚀.") for n in range(20)]
    assert code not in codes(good, ALPACA.source)


def test_an_ending_inside_outputs_is_shown_with_its_rows():
    examples = [Example("x", "", "one"), Example("x", "", "o|ne"), Example("x", "i", "|")]
    found = codes(examples, "{{instruction}}:\n{{output}}|")["ending-in-output"]
    assert (found.rows, found.examples, found.severity) == (2, (1, 2), Severity.WARNING)
    assert found.details == ("'|': 2 rows",)


def test_the_first_report_comes_after_a_sample_and_the_last_is_on_every_row():
    examples = [Example(f"q{i}", "", "" if i == 4_400 else "a") for i in range(SAMPLE + EVERY + 300)]
    reports = list(lint(examples, ALPACA))
    assert [report.rows for report in reports] == [SAMPLE, SAMPLE + EVERY, len(examples)]
    assert [any(one.code == "repeated-question" for one in report.found) for report in reports] == [False] * 3
    assert [report.complete for report in reports] == [False, False, True]
    found = {finding.code: finding for finding in reports[-1].found}
    assert found["empty-answer"].examples == (4_400,)


def test_the_templates_share_is_that_of_the_encoded_rows():
    examples = [Example("Name it.", "a fox", "It is a fox."), Example("Why?", "", "Because 😀.")]
    report = last(examples, ALPACA.source)
    rows = encode_all(examples, ALPACA)
    count = sum(int(role in (Role.TEMPLATE, Role.HEADER)) for row in rows for role in row.roles)
    assert report.template_share == pytest.approx(count / sum(map(len, rows)))


def test_what_records_hold_is_escaped_in_the_report():
    found = last([Example("<script>x</script> </s>", "", "<b>")], "<|a<b|>{{instruction}}: {{output}}")
    shown = html_of(found, found.findings(trained=TRAIN_ON["all"], max_length=None))
    assert "<script>" not in shown
    assert "<b|>" not in shown


def test_what_only_the_whole_data_set_shows_is_in_the_last_report():
    examples = [Example("What is it?", "", f"{n % 2}") for n in range(SAMPLE + 1)]
    first, last_ = lint(examples, ALPACA)
    assert not {one.code for one in first.found} & {"repeated-question", "conflicting-answers", "leak"}
    found = {one.code: one.positions for one in last_.found}
    assert found["conflicting-answers"] == (1,)
    assert found["repeated-question"] == tuple(range(2, SAMPLE + 1))
    assert found["leak"] == tuple(range(170, 190))


def test_splits_that_are_named_on_some_rows_only_are_a_finding_with_these_rows():
    examples = [Example(f"{n}?", "", f"{n}", "test" if n % 2 else None) for n in range(40)]
    assert codes(examples, ALPACA.source)["split-partial"].positions == tuple(range(0, 40, 2))
    assert "split-partial" not in codes([Example(f"{n}?", "", f"{n}") for n in range(40)], ALPACA.source)


def judged(report, *, trained="response", max_length=None):
    roles = TRAIN_ON[trained] if isinstance(trained, str) else trained
    return {(one.code, one.what): one for one in report.findings(trained=roles, max_length=max_length)}


def test_the_mask_and_the_limit_are_judged():
    examples = [Example(f"{n}?", "", f"It is {n}.") for n in range(40)]
    report = last(examples, ALPACA.source)
    assert not [one for one in judged(report, max_length=1024).values() if one.severity is Severity.WARNING]
    masked = {code for code, _ in judged(report, trained=frozenset({Role.RESPONSE, Role.PAD}), max_length=1024)}
    assert {"eos-masked", "padding-trained"} < masked
    cut = judged(report, max_length=35)
    assert cut["row-cut", "Rows are cut at 35 tokens and lose their end-of-text"].positions == tuple(range(40))
    nothing = judged(report, max_length=20)
    assert nothing["nothing-trained", "Rows have no trained target and are left out"].rows == 40
    assert {what for code, what in nothing if code == "split-empty"} == {
        "Nothing is left to train on",
        "Nothing is left to validate on",
    }


@pytest.mark.parametrize("max_length", [None, 5, 33, 45])
@pytest.mark.parametrize("trained", [*TRAIN_ON.values(), frozenset({Role.INPUT}), frozenset({Role.PAD}), frozenset()])
def test_the_summary_judges_rows_as_the_trainers_own_selection(trained, max_length):
    examples = [Example("long " * (n % 7), "x" * (n % 2), "an answer " * (n % 3)) for n in range(30)]
    rows = encode_all(examples, ALPACA)
    found = select_trainable(rows, trained=trained, max_length=max_length)
    summary = last(examples, ALPACA.source).summary
    usable = summary.has_target(trained, max_length)
    assert tuple(i for i in range(30) if not usable[i]) == found.left_out
    assert tuple(i for i in range(30) if usable[i] and summary.cut(max_length)[i]) == found.cut


@pytest.mark.parametrize("max_length", [None, 33, 45])
@pytest.mark.parametrize(
    "trained", [*TRAIN_ON.values(), TRAIN_ON["all"] | {Role.PAD}, frozenset({Role.RESPONSE}), frozenset({Role.HEADER})]
)
def test_the_whole_sets_findings_are_those_of_the_audit_of_its_batch(trained, max_length):
    examples = [Example("long " * (n % 7), "x" * (n % 2), f"{n} " * (1 + n % 3)) for n in range(30)]
    rows = encode_all(examples, ALPACA)
    kept = select_trainable(rows, trained=trained, max_length=max_length)
    batch = collate([rows[i] for i in kept.trainable], trained=trained, max_length=max_length)
    of_batch = batch_findings(batch, kept.trainable, left_out=kept.left_out, max_length=max_length)
    of_set = last(examples, ALPACA.source).findings(trained=trained, max_length=max_length)
    codes = {"row-cut", "nothing-trained", "padding-trained", "eos-masked"}
    whole_set = {one.code: one for one in of_set if one.code in codes}
    cut = set(kept.cut)
    if cut != set(kept.trainable) or "eos-masked" not in whole_set:  # no row is left that has an end to mask
        assert {one.code for one in of_batch} == whole_set.keys()
    for one in of_batch:
        assert (one.what, one.fix) == (whole_set[one.code].what, whole_set[one.code].fix)
        if one.code == "nothing-trained":
            assert one.positions == whole_set["nothing-trained"].positions
        if one.code == "row-cut":
            assert set(one.positions) == cut


def as_elsewhere(batch):
    """The batch as Hugging Face has it: ids, and labels that the model shifts."""
    for b, n in enumerate(batch.lengths):
        ids = np.append(batch.inputs[b, :n], batch.next_ids[b, n - 1 :])
        labels = np.concatenate([[IGNORE_INDEX], batch.targets[b]])
        yield TokenizedRow(ids, labels, np.arange(len(ids)) <= n, None)


@pytest.mark.parametrize("width", [None, 96])
@pytest.mark.parametrize("max_length", [None, 33, 45])
@pytest.mark.parametrize("trained", [*TRAIN_ON.values(), TRAIN_ON["all"] | {Role.PAD}, frozenset({Role.RESPONSE})])
def test_a_batch_is_judged_as_rows_from_elsewhere(trained, max_length, width):
    rows = encode_all([Example("long " * (n % 7), "x" * (n % 2), f"{n} " * (1 + n % 3)) for n in range(30)], ALPACA)
    kept = select_trainable(rows, trained=trained, max_length=max_length)
    batch = collate([rows[i] for i in kept.trainable], trained=trained, max_length=max_length, width=width)
    special = SpecialIds(eos=frozenset({EOS_ID}), bos=None, pad=EOS_ID, size=EOS_ID + 1)
    report = audit(as_elsewhere(batch), special, limit=max_length and max_length + 1)  # targets are one less than ids
    found = batch_findings(batch, range(len(batch.lengths)), max_length=max_length)
    of_both = {"padding-trained": "amount", "eos-masked": "code", "row-cut": "code"}

    def compared(findings):
        return {one.code: (one.positions, getattr(one, of_both[one.code])) for one in findings if one.code in of_both}

    assert compared(found) == compared(report.findings)


def test_padding_that_is_trained_is_counted_in_targets():
    rows = encode_all([Example("a", "", "b " * 9), Example("a", "", "b")], ALPACA)
    batch = collate(rows, trained=TRAIN_ON["response"] | {Role.PAD})
    [found] = batch_findings(batch, (5, 3))
    assert (found.code, found.positions) == ("padding-trained", (3,))
    assert found.amount == f"{(batch.targets[1] != -100).sum() - 2} targets"
