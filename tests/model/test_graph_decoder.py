"""Decoding steps recorded as graphs, by a stand-in that records Python: the same answers, from a few windows."""

import gc
import weakref

import pytest
import torch

from ift.model.cuda import graph_decoder
from ift.model.cuda.decoder import plainly
from ift.model.cuda.static_cache import StaticCache
from ift.model.generate import Prompt, Sampling, generate
from tests.helpers import Tape, tiny_model

PROMPTS = [
    Prompt(record, [11 + record, *range(20, 20 + record * 3 % 17)], max_new_tokens=4 + record * 7 % 30)
    for record in range(23)
]
GREEDY = Sampling(max_new_tokens=40)


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch):
    monkeypatch.setattr(graph_decoder, "COLUMN_STEP", 16)


def answers(model, prompts, sampling=GREEDY, tape=None):
    capture = (lambda _: tape) if tape else plainly
    return {found.record: found for found in generate(model, prompts, sampling, capture=capture)}


@pytest.mark.parametrize("sampling", [GREEDY, Sampling(max_new_tokens=40, temperature=1.0, top_k=50, seed=3)])
@pytest.mark.parametrize("rows", [1, 3, 23])
def test_recorded_answers_are_the_plain_ones(rows, sampling):
    tape, model = Tape(), tiny_model()
    assert answers(model, PROMPTS[:rows], sampling, tape) == answers(model, PROMPTS[:rows], sampling)
    assert tape.replayed > tape.plain


def test_a_cache_without_spare_room_gives_the_same(monkeypatch):
    monkeypatch.setattr(graph_decoder, "KEPT_BYTES", 0)
    tape, model = Tape(), tiny_model()
    assert answers(model, PROMPTS, tape=tape) == answers(model, PROMPTS)
    assert tape.replayed > 0


def test_rows_that_have_ended_leave_in_a_few_sizes():
    windows = set()

    class Watched(StaticCache):
        def next(self):
            windows.add(self.window)
            return super().next()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_decoder, "StaticCache", Watched)
        answers(tiny_model(), PROMPTS, tape=Tape())
    assert {window.rows for window in windows} == {64, 16, 4, 1}
    assert {window.columns for window in windows} <= {16, 32, 48, 64}


def test_the_next_prompts_take_the_same_graphs_and_the_weights_as_they_are_then():
    tape, model = Tape(), tiny_model()
    answers(model, PROMPTS[:2], tape=tape)
    recorded = tape.recorded
    with torch.no_grad():
        model.h[0].qkv.weight.mul_(-1)
    assert answers(model, PROMPTS[:2], tape=tape) == answers(model, PROMPTS[:2])
    answers(model, PROMPTS[:2], tape=tape)
    assert tape.recorded == recorded > 0


def test_weights_in_another_place_make_new_graphs():
    tape, model = Tape(), tiny_model()
    answers(model, PROMPTS[:2], tape=tape)
    recorded = tape.recorded
    model.h[0].qkv.weight = torch.nn.Parameter(-model.h[0].qkv.weight)
    again = Tape()
    assert answers(model, PROMPTS[:2], tape=again) == answers(model, PROMPTS[:2])
    assert (tape.recorded, again.recorded) == (recorded, recorded)


def test_two_that_ask_one_model_in_turn_do_not_disturb_each_other():
    model = tiny_model()
    answers(model, PROMPTS[:2], tape=Tape())
    asked = [generate(model, PROMPTS[first : first + 4], GREEDY, capture=lambda _: Tape()) for first in (0, 4)]
    found = {answer.record: answer for pair in zip(*asked, strict=True) for answer in pair}
    assert found == answers(model, PROMPTS[:8])


def test_a_capture_that_fails_leaves_the_plain_steps():
    tape, model = Tape(fails_at=1), tiny_model()
    assert answers(model, PROMPTS, tape=tape) == answers(model, PROMPTS)
    assert (tape.recorded, tape.replayed) == (1, 0)


def test_what_is_kept_goes_with_its_model():
    model = tiny_model()
    answers(model, PROMPTS[:2], tape=Tape())
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
