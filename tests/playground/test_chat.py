"""The chat with both models: what the browser pulls piece by piece is the answer that the model gives in one go."""

import json

import pytest

from ift.data.tokenizer import encode_text
from ift.events import Finished
from ift.model.answer import token_stream
from ift.model.generate import Sampling, prompt_of
from ift.runs.folder import create_run
from ift.types import EOS_ID, Example, Side
from playground.answers import chat
from playground.answers.asking import GONE
from playground.context import Context
from playground.settings import Limits, Settings
from tests.helpers import run_config, save_model, tiny_model

QUESTION = {"run": "a", "side": "after", "instruction": "Name a color", "input": "", "written": []}
OPTIONS = {"max_new_tokens": 6, "temperature": 0, "seed": 0}


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """A server with one run: two tiny models."""
    home = tmp_path_factory.mktemp("home")
    base, runs = home / "base", home / "runs"
    run = create_run(runs / "a", run_config(model=str(base)))
    for seed, folder in enumerate((base, run.path / "checkpoints" / "step-000001")):
        folder.mkdir(parents=True)
        save_model(tiny_model(seed=1 + seed), folder)
    run.training.append(Finished(step=1))
    return Context(Settings(home=home))


def asked(context, name, **query):
    (ask,) = [ask for ask in chat.queries(context) if ask.__name__ == name]
    reply = ask({**QUESTION, "options": OPTIONS, **query})
    json.dumps(reply, allow_nan=False)
    return reply


def pulled(context, begun=(), **query):
    """All of an answer's tokens, in as many replies as it takes, and the last one's `finish`."""
    tokens, replies = list(begun), 0
    while True:
        reply = asked(context, "chat_more", written=[token[0] for token in tokens], **query)
        tokens += reply["tokens"]
        replies += 1
        if reply["finish"]:
            return tokens, reply["finish"], replies


def answer(context, side=Side.AFTER, **options):
    run = context.jobs.run("a")
    prompt = prompt_of(0, Example("Name a color", "", ""), run.config.template)
    sampling = Sampling(**{**OPTIONS, **options})
    return [token.id for token in token_stream(context.models.get(run.models[side]), prompt, sampling)]


@pytest.mark.parametrize("side", Side)
def test_both_models_answer_a_question_in_the_runs_own_template(context, side):
    tokens, finish, _ = pulled(context, side=side.value)
    assert [token for token, *_ in tokens] == answer(context, side)
    assert finish == "length"
    assert all(isinstance(piece, str) and 0 < share <= 1 for _, piece, share in tokens)


def test_an_answer_that_comes_in_pieces_is_the_same(context, monkeypatch):
    monkeypatch.setattr(chat, "REPLY_S", 0.0)
    tokens, _, replies = pulled(context, options={**OPTIONS, "temperature": 1.0, "seed": 3})
    assert replies == 6
    assert [token for token, *_ in tokens] == answer(context, temperature=1.0, seed=3)


def test_it_goes_on_from_another_token(context):
    tokens, finish, _ = pulled(context, begun=[(5, "any", 0.1)])
    assert (len(tokens), finish) == (6, "length")


def test_the_ten_likeliest_are_those_that_the_answer_was_picked_from(context):
    first, *_ = answer(context)
    found = asked(context, "chat_top")["top"]
    assert len(found) == chat.TOP
    assert found[0][0] == first
    shares = [share for *_, share in found]
    assert shares == sorted(shares, reverse=True)


def test_the_prompt_shows_the_question_with_its_roles(context):
    found = asked(context, "chat_prompt", input="")
    assert "".join(text for _, text in found["parts"]) == "Name a color"
    assert found["unknown"] == []


def test_words_that_the_starter_never_saw_are_named(tmp_path, context):
    home = tmp_path
    run = create_run(home / "runs" / "a", run_config())
    run.training.append(Finished(step=1))
    (run.path / "checkpoints" / "step-000001").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chat, "known_ids", lambda name: frozenset(encode_text("the")))
        found = asked(Context(Settings(home=home)), "chat_prompt", instruction="the zygote")
    assert "".join(found["unknown"]).strip() == "zygote"


@pytest.mark.parametrize(
    "query",
    [
        {"options": {"temperature": "hot"}},
        {"options": {"temperature": -1}},
        {"options": {"max_new_tokens": 0}},
        {"options": {"max_new_tokens": 1.5}},
        {"options": {"seed": float("nan")}},
        {"options": {"top_k": 0}},
        {"spent_s": "long"},
        {"written": [-1]},
        {"written": [EOS_ID + 1]},
        {"written": [True]},
        {"written": ["5"]},
        {"written": [5] * 6},
        {"written": [5] * 5000},
        {"instruction": ""},
        {"instruction": "word " * 100},
    ],
)
def test_what_can_not_be_asked_is_told_with_what_and_how_to_fix(context, query):
    error = asked(context, "chat_more", **query)["error"]
    assert error["what"]
    assert error["fix"]


@pytest.mark.parametrize("query", [None, 5, [], {}, {"run": "../a"}, {"run": ["a"]}])
def test_a_question_to_no_run_is_answered_with_gone(context, query):
    assert all(ask(query) == GONE for ask in chat.queries(context))


def test_a_run_that_has_saved_nothing_can_not_be_asked(tmp_path):
    create_run(tmp_path / "runs" / "a", run_config()).training.append(Finished(step=1))
    reply = asked(Context(Settings(home=tmp_path)), "chat_more")
    assert "saved no checkpoint" in reply["error"]["what"]


def test_only_so_many_wait_for_the_models_the_others_are_told_to_ask_again():
    turn = chat.Turn()
    for _ in range(chat.WAITING):
        assert turn._waiting.acquire(blocking=False)
    with turn.taken() as is_mine:
        assert not is_mine
    turn._waiting.release()
    with turn.taken() as is_mine:
        assert is_mine


def test_an_answer_is_cut_at_the_pages_time_and_keeps_what_came(context, monkeypatch):
    limited = Context(Settings(context.settings.home, limits=Limits(answer_s=30)))
    monkeypatch.setattr(chat, "REPLY_S", 0.0)
    first = asked(limited, "chat_more")
    assert 0 < first["spent_s"] < 30
    assert (len(first["tokens"]), first["finish"]) == (1, None)
    written = [token for token, *_ in first["tokens"]]
    second = asked(limited, "chat_more", written=written, spent_s=30 - first["spent_s"] / 100)
    assert (second["finish"], "30 seconds, this page's limit" in second["why"]) == (chat.CUT, True)
    assert [*written, second["tokens"][0][0]] == answer(context)[:2]
    assert "30 seconds" in asked(limited, "chat_more", written=written, spent_s=30.5)["error"]["what"]
    assert asked(context, "chat_more", written=written, spent_s=10**6)["finish"] is None  # one's own machine
