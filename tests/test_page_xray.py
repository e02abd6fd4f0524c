import json

import numpy as np
import pytest

from ift.templates import load_template
from ift.types import TRAIN_ON, Example
from ift.xray import token_losses
from playground.context import KEPT, Context, Kept
from playground.settings import Settings
from playground.views.lens import shown
from playground.xray import GONE, losses, top


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    context = Context(Settings(home=tmp_path_factory.mktemp("home"), public=False))
    examples = [Example("Name the capital of Peru.", "", "The capital of Peru is Lima."), Example("Hi", "", "Ho")]
    found = shown(examples, [0, 1], load_template("alpaca"), trained=TRAIN_ON["response"])
    context.recent.keep(1, Kept(found, {"before": "starter"}))
    return context


def test_the_losses_are_those_of_the_batch_that_was_shown(context):
    reply = losses(context)({"stamp": 1})
    kept = context.recent.get(1)
    expected = token_losses(context.models.get("starter"), kept.shown.batch)
    found = np.array([[np.nan if value is None else value for value in row] for row in reply["before"]])
    assert found == pytest.approx(expected, abs=1e-3, nan_ok=True)
    assert set(reply) == {"before"}
    json.dumps(reply, allow_nan=False)


def test_the_five_likeliest_tokens_come_with_their_text(context):
    reply = top(context)({"stamp": 1, "row": 0, "t": 3})
    assert len(reply["before"]) == 5
    assert all(isinstance(piece, str) and 0 <= share <= 1 for _, piece, share in reply["before"])


def test_padding_has_no_next_token(context):
    width = context.recent.get(1).shown.batch.width
    assert top(context)({"stamp": 1, "row": 1, "t": width - 1}) == {}


@pytest.mark.parametrize(
    "query", [None, [], "x", {}, {"stamp": 99}, {"stamp": [1]}, {"stamp": 1}, {"stamp": 1, "row": "x", "t": 0}]
)
def test_a_query_may_be_anything(context, query):
    assert top(context)(query) == GONE
    if not (isinstance(query, dict) and query.get("stamp") == 1):
        assert losses(context)(query) == GONE


def test_a_model_that_is_not_there_is_told_as_an_error(context, tmp_path):
    context.recent.keep(2, Kept(context.recent.get(1).shown, {"before": str(tmp_path / "none")}))
    assert "There is no model" in losses(context)({"stamp": 2})["error"]["what"]


def test_only_the_last_batches_are_kept(context):
    found = context.recent.get(1)
    for stamp in range(10, 10 + KEPT):
        context.recent.keep(stamp, found)
    assert context.recent.get(1) is None
    assert context.recent.get(10) is found
