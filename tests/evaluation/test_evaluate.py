"""Before and after: one row in, one row out, whatever becomes of it."""

from dataclasses import fields, replace

import pytest
import torch

from ift.cli.parser import build_parser
from ift.config import TrainConfig
from ift.data.batching import collate
from ift.data.sources import load_dataset
from ift.data.templates import Template
from ift.data.tokenizer import encode
from ift.errors import ConfigError, DataError, InputError, RunError
from ift.evaluation import evaluate
from ift.evaluation.evaluate import answer, evaluate_events
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.evaluation.metrics import HABITS, METRICS
from ift.evaluation.reference_losses import reference_losses
from ift.evaluation.results import answered_record, summarize
from ift.events import Answered, Finished
from ift.model.answer import ask
from ift.model.generate import Sampling, _nucleus
from ift.roles import Role
from ift.runs.answer_files import AnswerFiles
from ift.runs.scores import Comparison, Outcome, SampledRecords
from ift.runs.stop import Stop
from ift.training.checkpoint import save_checkpoint
from ift.types import EOS_ID, Check, Completion, Example, Finish, Score, Scored, Side
from tests.helpers import WORD, parrot, plain_loss, plan_of, tiny_model, write_records

TEMPLATE = Template.parse("Q: {{instruction}}\nA:{{output}}")
FEW = EvaluationOptions(max_new_tokens=2)
TOO_LONG = Example("x " * 100, "", "y")


def answered(model, *examples, **options):
    sampling = Sampling(**{"max_new_tokens": 2, **options})
    found = answer(model, examples, range(len(examples)), TEMPLATE, sampling)
    return sorted(found, key=lambda scored: scored.completion.record)


def rows_of(scored, examples):
    return [answered_record(one, examples[one.completion.record]) for one in scored]


def summary_of(before, after, examples):
    return summarize(rows_of(before, examples), rows_of(after, examples), plan_of(examples))


def test_an_answer_is_scored_against_its_own_record():
    rows = answered(parrot(WORD), Example("a", "", "Word word."), Example("b", "", "other"))
    assert [row.completion.text for row in rows] == [" word word"] * 2
    assert [row.scores[0] for row in rows] == [Score("exact_match", 1.0), Score("exact_match", 0.0)]


def test_a_prompt_that_fills_the_context_is_a_row_without_a_value_and_with_the_reason():
    rows = answered(parrot(WORD), Example("a", "", "word word"), TOO_LONG)
    assert len(rows) == 2
    assert {score.value for score in rows[1].scores} == {None}
    assert "fills the model's context of 64" in rows[1].scores[0].reason


def test_the_means_leave_out_what_could_not_be_answered():
    before = answered(parrot(EOS_ID), Example("a", "", "word word"), TOO_LONG)
    after = answered(parrot(WORD), Example("a", "", "word word"), TOO_LONG)
    summary = summary_of(before, after, [Example("a", "", "word word"), TOO_LONG])
    assert summary.n == 2
    assert summary.metric("exact_match") == Comparison(0.0, 1.0, (1.0, 1.0), Outcome(1, 0, 0, 1.0))
    assert summary.metric("ended") == Comparison(1.0, 0.0, (-1.0, -1.0), Outcome(0, 0, 1, 1.0))


def test_the_means_are_split_by_what_no_training_record_has():
    examples = [
        Example("a", "", "word word", held_out=("fact",)),
        Example("b", "", "other", held_out=("fact", "wording")),
    ]
    rows = answered(parrot(WORD), *examples)
    groups = summary_of(rows, rows, examples).held_out
    assert {name: (group.n, group.after["exact_match"]) for name, group in groups.items()} == {
        "fact": (2, 0.5),
        "wording": (1, 0.0),
    }


def test_an_open_ended_record_is_scored_by_its_own_check_and_left_out_of_exact_match():
    examples = [Example("a", "", "word word"), Example("b", "", "a story", check=Check(("word",)))]
    rows = answered(parrot(WORD), *examples)
    summary = summary_of(rows, rows, examples)
    assert (summary.after["exact_match"], summary.after["check"]) == (1.0, 1.0)
    assert {score.by: score.value for score in rows[1].scores} == {
        **dict.fromkeys(METRICS),
        "check": 1.0,
        **dict.fromkeys(HABITS, 0.0),
    }


def test_where_nothing_could_be_answered_the_means_are_none():
    row = Scored(Completion(0, "", (), Finish.LENGTH), tuple(Score(name, None, "too long") for name in METRICS))
    summary = summary_of([row], [row], [TOO_LONG])
    assert {*summary.before.values(), *summary.gain_interval_95.values()} == {None}


def test_a_single_question_without_room_for_an_answer_is_an_input_error():
    with pytest.raises(InputError, match="no room for an answer"):
        ask(tiny_model(), TEMPLATE, TOO_LONG, Sampling(max_new_tokens=1))


def test_a_single_question_gets_the_models_answer():
    assert ask(parrot(WORD), TEMPLATE, Example("a", "", ""), Sampling(max_new_tokens=1)).text == " word"


# A whole run.


def test_a_run_is_answered_twice_and_scored_last(run):
    events = list(evaluate_events(run, Stop(run), EvaluationOptions(max_new_tokens=2)))
    assert [(event.side, event.done, event.total) for event in events if isinstance(event, Answered)] == [
        ("before", 0, 2),
        ("before", 2, 2),
        ("after", 0, 2),
        ("after", 2, 2),
    ]
    assert isinstance(events[-1], Finished)
    assert run.scores.n == 2
    assert run.scores.before.keys() == run.scores.after.keys() == {*METRICS, *HABITS, "ended", "reference_loss"}
    assert run.scores.checkpoint == "step-000003"


def test_the_rows_say_what_was_asked_expected_and_answered(run):
    list(evaluate_events(run, Stop(run), EvaluationOptions(max_new_tokens=2)))
    rows = run.answers(Side.AFTER)
    assert [row.record for row in rows] == [17, 18]
    assert (rows[0].instruction, rows[0].output) == ("After 17?", "18")
    assert rows[0].model_response == " word word"
    assert rows[0].scores[0] == Score("exact_match", 0.0)
    assert [row.record for row in run.answers(Side.BEFORE)] == [17, 18]


def test_a_sample_is_drawn_by_seed_and_told(run):
    found = []
    for seed in (0, 1, 0):
        list(evaluate_events(run, Stop(run), EvaluationOptions(sample=1, seed=seed, max_new_tokens=1)))
        found += [row.record for row in run.answers(Side.AFTER)]
        assert run.scores.sampled == SampledRecords(total=2, seed=seed)
    assert set(found) == {17, 18}
    assert found[0] == found[2]


def test_answers_may_fill_a_quarter_of_the_context_unless_told(run):
    list(evaluate_events(run, Stop(run), EvaluationOptions(sample=1)))
    assert run.scores.max_new_tokens == 16


def test_the_run_has_the_template_that_it_was_trained_with(run, template_file):
    template_file.write_text("Other: {{instruction}}{{output}}", encoding="utf-8")
    list(evaluate_events(run, Stop(run), EvaluationOptions(sample=1, max_new_tokens=1)))
    assert run.config.template_source == "Q: {{instruction}}\nA:{{output}}"


def test_a_data_file_that_has_changed_is_an_error(run, data_file):
    write_records(data_file, range(21))
    with pytest.raises(RunError, match="data file has changed"):
        list(evaluate_events(run, Stop(run)))
    assert run.scores is None


def test_a_data_file_that_is_gone_is_an_error(run, data_file):
    data_file.unlink()
    with pytest.raises(DataError, match="There is no data set"):
        list(evaluate_events(run, Stop(run)))


def test_a_set_without_held_out_records_is_an_error(run, data_file):
    write_records(data_file, range(5))
    data = replace(run.config.data, sha256=load_dataset(str(data_file)).sha256)
    run.write_json("config.json", replace(run.config, data=data).to_dict())
    with pytest.raises(DataError, match="no held-out record"):
        list(evaluate_events(run, Stop(run)))


def test_a_run_without_a_checkpoint_can_not_be_evaluated(run):
    (run.path / "checkpoints" / "step-000003").rename(run.path / "elsewhere")
    with pytest.raises(RunError, match="has saved no checkpoint"):
        list(evaluate_events(run, Stop(run)))


# Again and again.


def write_template(folder):
    path = folder / "other.txt"
    path.write_text("Say {{instruction}}: {{output}}", encoding="utf-8")
    return path


def files_of(run):
    return {name: (run.path / name).read_bytes() for name in ("before.jsonl", "after.jsonl", "scores.json")}


def asked(monkeypatch):
    """The records that a model is asked about, as they are asked."""
    seen = []
    real = evaluate.generate

    def generate(model, prompts, sampling):
        seen.extend(prompt.record for prompt in prompts)
        return real(model, prompts, sampling)

    monkeypatch.setattr(evaluate, "generate", generate)
    return seen


class KilledError(Exception):
    """Whatever ends a process in the middle."""


@pytest.mark.parametrize("side", list(Side))
def test_what_was_killed_goes_on_without_asking_twice_and_ends_with_the_same_files(run, data_file, monkeypatch, side):
    write_records(data_file, range(60))
    config = replace(run.config, data=replace(run.config.data, sha256=load_dataset(str(data_file)).sha256))
    run.write_json("config.json", config.to_dict())
    list(evaluate_events(run, Stop(run), FEW))
    whole = files_of(run)
    for name in (*whole, "evaluation.json"):
        (run.path / name).unlink()
    real, seen = AnswerFiles.append, asked(monkeypatch)

    def killed(files, at, answer):
        real(files, at, answer)
        if at is side and len(files.read(at)) == 3:
            with (files.path / f"{at}.jsonl").open("ab") as file:
                file.write(b'{"record": 5')  # half a line
            raise KilledError

    monkeypatch.setattr(AnswerFiles, "append", killed)
    with pytest.raises(KilledError):
        list(evaluate_events(run, Stop(run), FEW))
    monkeypatch.setattr(AnswerFiles, "append", real)
    assert run.scores is None
    assert len(run.answers(side)) == 3
    there = {row.record for row in run.answers(side)}
    seen.clear()
    events = list(evaluate_events(run, Stop(run), FEW))
    assert next(event.done for event in events if isinstance(event, Answered) and event.side is side) == 3
    assert len(seen) == (9 if side is Side.BEFORE else 3)
    assert there.isdisjoint(seen[:3])
    assert files_of(run) == whole


def test_answers_are_kept_where_only_more_records_or_another_checkpoint_are_asked(run, monkeypatch):
    seen = asked(monkeypatch)
    list(evaluate_events(run, Stop(run), EvaluationOptions(sample=1, max_new_tokens=1)))
    assert len(seen) == 2
    list(evaluate_events(run, Stop(run), EvaluationOptions(max_new_tokens=1)))
    assert len(seen) == 4  # one record more, on both sides
    list(evaluate_events(run, Stop(run), EvaluationOptions(max_new_tokens=1, seed=7)))
    assert len(seen) == 4  # a greedy answer knows no seed
    save_checkpoint(run.path / "checkpoints", parrot(EOS_ID), step=5)
    list(evaluate_events(run, Stop(run), EvaluationOptions(max_new_tokens=1)))
    assert len(seen) == 6  # the other model's
    assert (run.scores.checkpoint, run.scores.after["ended"]) == ("step-000005", 1.0)
    list(evaluate_events(run, Stop(run), EvaluationOptions(max_new_tokens=2)))
    assert len(seen) == 10


def test_a_run_may_be_asked_with_another_template_than_its_own(run, tmp_path, monkeypatch):
    seen = asked(monkeypatch)
    list(evaluate_events(run, Stop(run), FEW))
    assert (run.question_template, run.scores.template) == (run.config.template, "")
    other = write_template(tmp_path)
    list(evaluate_events(run, Stop(run), replace(FEW, template=str(other))))
    assert len(seen) == 8  # nothing of the other prompts is kept
    assert run.question_template.source == run.scores.template == other.read_text(encoding="utf-8")
    with pytest.raises(InputError):
        list(evaluate_events(run, Stop(run), replace(FEW, template="absent.txt")))


def test_the_base_model_is_not_asked_again_what_it_was_asked_for_a_run_beside_this_one(
    names, make, tmp_path, monkeypatch
):
    base = save_checkpoint(tmp_path / "base", tiny_model(), step=1)  # with a manifest: it is known to be the same

    def made(name, **options):
        run = make(name, TrainConfig(**{**names, "model": str(base), **options}))
        run.training.append(Finished(step=1))
        save_checkpoint(run.path / "checkpoints", parrot(WORD), step=3)
        return run

    one, twin = made("one"), made("twin", seed=7)
    longer = made("longer", template=str(write_template(tmp_path)))
    seen = asked(monkeypatch)
    list(evaluate_events(one, Stop(one), FEW))
    list(evaluate_events(twin, Stop(twin), FEW))
    assert seen == [17, 18, 17, 18, 17, 18]  # once before, twice after
    assert files_of(one) == files_of(twin)
    list(evaluate_events(longer, Stop(longer), FEW))
    assert len(seen) == 10


def test_any_checkpoint_can_be_scored(run):
    save_checkpoint(run.path / "checkpoints", parrot(EOS_ID), step=5)
    list(evaluate_events(run, Stop(run), EvaluationOptions(checkpoint=3, max_new_tokens=1)))
    assert run.scores.checkpoint == "step-000003"
    assert run.answers(Side.AFTER)[0].model_response == " word"
    with pytest.raises(RunError, match="no checkpoint of step 4") as caught:
        list(evaluate_events(run, Stop(run), EvaluationOptions(checkpoint=4)))
    assert "3, 5" in caught.value.fix


def test_drawn_answers_follow_the_seed(run):
    found = []
    for seed in (0, 1, 0):
        options = EvaluationOptions(max_new_tokens=3, temperature=1.0, top_p=0.9, top_k=1000, seed=seed)
        list(evaluate_events(run, Stop(run), options))
        found.append([row.response_ids for row in run.answers(Side.BEFORE)])
    assert found[0] == found[2] != found[1]
    assert (
        run.scores.decoding.text == "answers of up to 3 tokens, drawn at temperature 1, top_k 1000, top_p 0.9, seed 0"
    )


def test_the_loss_of_an_expected_answer_is_the_models_own(run):
    list(evaluate_events(run, Stop(run), FEW))
    row = run.answers(Side.AFTER)[0]
    encoded = encode(run.config.template.render(Example(row.instruction, row.input, row.output)))
    batch = collate([encoded], trained=frozenset({Role.RESPONSE, Role.EOS}))
    assert row.value("reference_loss") == pytest.approx(plain_loss(parrot(WORD), batch).item(), abs=1e-4)


def test_an_expected_answer_that_only_begins_in_the_context_counts_as_far_as_it_fits():
    long, lost = Example("a", "", "word " * 100), Example("x " * 100, "", "y")
    found = dict(reference_losses(tiny_model(), [long, lost], [0, 1], TEMPLATE, wanted=frozenset({0, 1})))
    assert found[0] > 0
    assert found[1] is None
    assert dict(reference_losses(tiny_model(), [long], [0], TEMPLATE, wanted=frozenset())) == {}


def test_options_are_words_of_the_command_line():
    options = EvaluationOptions(sample=5, temperature=0.5, judge="llama3", judge_pairs=True)
    words = options.arguments()
    assert words == ["--sample", "5", "--temperature", "0.5", "--judge", "llama3", "--judge_pairs", "true"]
    args = build_parser().parse_args(["evaluate", "R", *words])
    assert EvaluationOptions(**{one.name: getattr(args, one.name) for one in fields(EvaluationOptions)}) == options


def test_the_fewest_likeliest_tokens_that_reach_top_p_are_drawn_from():
    shares = torch.tensor([[0.5, 0.3, 0.15, 0.05], [0.05, 0.15, 0.3, 0.5]])
    assert (_nucleus(shares, 0.7) > 0).tolist() == [[True, True, False, False], [False, False, True, True]]
    assert (_nucleus(shares, 0.5) > 0).tolist() == [[True, False, False, False], [False, False, False, True]]
    assert (_nucleus(shares, 1.0) > 0).all()
    with pytest.raises(ConfigError, match="top_p"):
        Sampling(max_new_tokens=1, top_p=0.0)
