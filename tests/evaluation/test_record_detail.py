"""One record under the glass, against the model's own plain logits."""

import math

import pytest
import torch

from ift.data.templates import Template
from ift.data.tokenizer import encode, encode_text, piece
from ift.evaluation.record_detail import record_detail
from ift.runs.scores import AnsweredRecord, ComparedRecord
from ift.types import EOS_ID, Example, Finish
from tests.helpers import WORD, parrot, tiny_model

TEMPLATE = Template.parse("Q: {{instruction}}\nA:{{output}}")
EXPECTED = " word word."


def answered(text, finish=Finish.EOS, *, output=EXPECTED, instruction="a", ids=()):
    return AnsweredRecord(7, instruction, "", output, text, finish, (), response_ids=ids)


def detail(before, after, **options):
    return record_detail(tiny_model(), parrot(WORD), TEMPLATE, ComparedRecord(before, after))


def test_losses_and_top_fives_are_those_of_the_plain_logits():
    model, row = tiny_model(), encode(TEMPLATE.render(Example("a", "", EXPECTED)))
    found = detail(answered("x"), answered("y"))
    ids = torch.tensor([row.ids.tolist()])
    probabilities = model(ids[:, :-1])[0].detach().softmax(dim=-1)[row.prompt_length - 1 :]
    assert [token.id for token in found.tokens] == [*encode_text(EXPECTED), EOS_ID]
    for token, share in zip(found.tokens, probabilities, strict=True):
        assert math.exp(-token.before.loss) == pytest.approx(float(share[token.id]), rel=1e-4)
        assert [choice.id for choice in token.before.top] == share.topk(5).indices.tolist()
        assert [choice.probability for choice in token.before.top] == pytest.approx(
            share.topk(5).values.tolist(), rel=1e-4
        )
    assert found.end == found.tokens[-1]
    assert (found.prompt, found.prompt_tokens) == ("Q: a\nA:", row.prompt_length)


@pytest.mark.parametrize(
    ("text", "finish", "leaves_at"),
    [
        (" word word.", Finish.EOS, None),
        (" word", Finish.EOS, 1),
        (" word", Finish.LENGTH, None),  # it was cut: it never left
        (" word word. word", Finish.LENGTH, 3),  # where the expected answer ends
        ("other", Finish.EOS, 0),
    ],
)
def test_an_answer_leaves_the_expected_one_at_the_first_other_token(text, finish, leaves_at):
    assert detail(answered("x"), answered(text, finish)).leaves_at == leaves_at


def test_the_two_answers_part_behind_what_both_begin_with():
    found = detail(answered(" word x"), answered(" word y"))
    assert found.parting.shared == ("·word",)
    assert found.parting.after[0].piece == piece(WORD)
    assert detail(answered(" word x"), answered(" word x")).parting is None


def test_the_models_own_tokens_count_not_those_of_its_text():
    split = (*encode_text(" wo"), *encode_text("rd"))
    assert detail(answered("x"), answered(" word", ids=split)).leaves_at == 0


def test_a_row_longer_than_the_context_is_shown_as_far_as_it_fits():
    long = answered("x", output=" word" * 100)
    found = detail(long, long)
    assert len(found.tokens) == 64 - found.prompt_tokens + 1
    assert found.end is None
    too_long = answered("x", instruction="x " * 100)
    assert detail(too_long, too_long).tokens == ()
