import json
from dataclasses import replace

import numpy as np
import pytest

from ift.data.templates import load_template
from ift.masks import TRAIN_ON
from ift.model.token_losses import token_losses
from ift.types import Example, Side
from playground.context import Context
from playground.lens.draw import draw
from playground.lens.payload import shown
from playground.lens.queries import GONE, linter, losses, top
from playground.lens.recent import KEPT, Kept, Recent
from playground.lens.state import View
from playground.settings import Limits, Mode, Settings
from playground.visitors import Visitor, acting_as, new_key


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return Context(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture
def stamp(context):
    examples = [Example("Name the capital of Peru.", "", "The capital of Peru is Lima."), Example("Hi", "", "Ho")]
    found = shown(examples, [0, 1], load_template("alpaca"), trained=TRAIN_ON["response"])
    return context.recent.keep(Kept(View(), shown=found, models={Side.BEFORE: "starter"}))


def test_the_losses_are_those_of_the_batch_that_was_shown(context, stamp):
    reply = losses(context)({"stamp": stamp})
    kept = context.recent.get(stamp)
    expected = token_losses(context.models.get("starter"), kept.shown.batch)
    found = np.array([[np.nan if value is None else value for value in row] for row in reply["before"]])
    assert found == pytest.approx(expected, abs=1e-3, nan_ok=True)
    assert set(reply) == {"before"}
    json.dumps(reply, allow_nan=False)


def test_losses_beyond_a_pages_limit_are_refused_with_its_name(context, stamp, tmp_path):
    kept = context.recent.get(stamp)
    work = 2 * kept.shown.batch.tokens * context.models.get("starter").config.parameters / 1e9
    for most, is_refused in ((1.01 * work, False), (0.99 * work, True)):
        other = Context(Settings(home=tmp_path, mode=Mode.PUBLIC, limits=Limits(loss_gflop=most)))
        reply = losses(other)({"stamp": other.recent.keep(kept)})
        assert ("error" in reply) is is_refused
    assert "GFLOP for the losses of a batch" in reply["error"]["what"]
    assert "your own machine" in reply["error"]["fix"]


def test_the_five_likeliest_tokens_come_with_their_text(context, stamp):
    reply = top(context)({"stamp": stamp, "row": 0, "t": 3})
    assert len(reply["before"]) == 5
    assert all(isinstance(piece, str) and 0 <= share <= 1 for _, piece, share in reply["before"])


def test_padding_has_no_next_token(context, stamp):
    width = context.recent.get(stamp).shown.batch.width
    assert top(context)({"stamp": stamp, "row": 1, "t": width - 1}) == {}


@pytest.mark.parametrize("query", [None, [], "x", {}, {"stamp": "none"}, {"stamp": 1}, {"stamp": [1]}])
def test_a_query_may_be_anything(context, query):
    assert all(answer(context)(query) == GONE for answer in (losses, top, linter))


@pytest.mark.parametrize("place", [{}, {"row": "x", "t": 0}, {"row": 0, "t": None}])
def test_a_place_may_be_anything(context, stamp, place):
    assert top(context)({"stamp": stamp, **place}) == GONE


def test_where_an_error_was_shown_there_is_no_batch_to_ask_about(context):
    assert losses(context)({"stamp": context.recent.keep(Kept(View()))}) == GONE


def test_a_model_that_is_not_there_is_told_as_an_error(context, stamp, tmp_path):
    kept = replace(context.recent.get(stamp), models={Side.BEFORE: str(tmp_path / "none")})
    assert "There is no model" in losses(context)({"stamp": context.recent.keep(kept)})["error"]["what"]


def test_only_the_last_batches_of_a_visitor_are_kept(context, stamp):
    found = context.recent.get(stamp)
    later = [context.recent.keep(found) for _ in range(KEPT)]
    assert len({stamp, *later}) == KEPT + 1
    assert context.recent.get(stamp) is None
    assert context.recent.get(later[0]) is found


def test_others_redraws_do_not_push_out_a_quiet_visitors_batch(context, stamp):
    quiet = context.recent.keep(replace(context.recent.get(stamp), visitor="quiet"))
    for i in range(500):
        context.recent.keep(Kept(View(), visitor=f"visitor {i % 50}"))
    assert context.recent.get(quiet, "quiet").visitor == "quiet"


def test_another_visitors_batch_is_not_there(context, stamp):
    own = context.recent.keep(replace(context.recent.get(stamp), visitor=new_key()))
    assert context.recent.get(own) is None
    assert losses(context)({"stamp": own}) == GONE
    with acting_as(Visitor(new_key())):
        assert losses(context)({"stamp": own}) == GONE


def test_a_refused_template_takes_room_by_its_length(context, stamp):
    recent = Recent(cells=1_000)
    first = recent.keep(Kept(View(template="x" * 4_000)))
    assert recent.get(first)
    recent.keep(Kept(View(template="x" * 4_000)))
    recent.keep(Kept(View(template="x" * 4_000)))
    assert recent.get(first) is None


def test_who_asks_about_a_batch_keeps_it(context, stamp):
    asked = context.recent.keep(replace(context.recent.get(stamp), visitor="asks"))
    for _ in range(2 * KEPT):
        context.recent.keep(Kept(View(), visitor="asks"))
        assert context.recent.get(asked, "asks")


def test_where_there_is_no_room_the_one_who_has_not_asked_for_longest_loses(context, stamp):
    found = context.recent.get(stamp)
    recent = Recent(cells=3 * found.cells)
    first, second, third = (recent.keep(replace(found, visitor=name)) for name in "abc")
    assert recent.get(first, "a")
    fourth = recent.keep(replace(found, visitor="d"))
    named = {"a": first, "b": second, "c": third, "d": fourth}
    assert [recent.get(one, name) is not None for name, one in named.items()] == [True, False, True, True]


def test_the_linters_report_is_judged_under_the_masks_and_the_limit_of_the_grid(context):
    view = View(data="starter", mask="response", keep_eos=False, train_padding=True, max_length=20)
    shown = draw(context, view, "starter", None)
    while not (answer := linter(context)({"stamp": shown["stamp"]}))["complete"]:
        pass
    for code in ("eos-masked", "padding-trained", "row-cut", "nothing-trained"):
        assert f'data-code="{code}"' in answer["html"]
        assert f'data-code="{code}"' not in answer["chips"]


def test_the_chips_judge_what_is_shown(context):
    view = View(data="starter", size=8, train_padding=True)
    plain, padded = (draw(context, one, "starter", None)["message"] for one in (View(), view))
    assert "<details" not in plain
    batch = context.recent.get(draw(context, view, "starter", None)["stamp"]).shown.batch
    extra = batch.trained_tokens - draw_trained(context, View())
    assert f"padding trained: 7 of 8 rows, {extra} targets" in padded
    cut = draw(context, View(max_length=batch.width - 1), "starter", None)["message"]
    assert "end of text cut off: 1 of 8 rows, at " in cut
    assert 'data-row="' in cut


def draw_trained(context, view):
    return context.recent.get(draw(context, view, "starter", None)["stamp"]).shown.batch.trained_tokens
