"""Rows made by the thousand are the rows that `encode` makes one by one, to the last id and role."""

import random

import numpy as np
import pytest

from ift.data.bulk_encoding import BLOCK, encode_all, encode_blocks
from ift.data.rows import RowStore
from ift.data.sources import load_dataset
from ift.data.templates import PRESETS, Template, load_template
from ift.data.tokenizer import encode
from ift.roles import Role
from ift.types import Example
from tests.audit.test_boundary import PIECES
from tests.helpers import EVERYTHING, encoded

TEMPLATES = [
    *(load_template(name) for name in PRESETS),
    *map(
        Template.parse,
        [
            "{{instruction}}{{output}}",
            "{{instruction}}{{input}}{{output}}</s>",
            "{{instruction}} {{input}}\n\n{{output}}\n",
            " {{#input}}{{input}} {{/input}}{{^input}}none{{/input}}\n{{instruction}}: {{output}} x y",
            "no field \n {{output}}{{#input}}!{{/input}}{{^input}} ?\n{{/input}}.",
            "A {{input}} B {{input}} C{{instruction}}'{{output}}s",
            "\n{{instruction}}\n\n\t{{instruction}} it's {{output}}",
        ],
    ),
]
"""The presets, and every way in which text and fields can meet."""


def random_examples(count):
    rng = random.Random(0)
    texts = ("".join(rng.choices(PIECES, k=rng.choice([0, 1, 2, 3, 6]))) for _ in range(3 * count))
    return [Example(*fields) for fields in zip(texts, texts, texts, strict=True)]


def assert_same(rows, expected):
    assert len(rows) == len(expected)
    for row, one in zip(rows, expected, strict=True):
        assert row.ids.tolist() == one.ids.tolist()
        assert row.roles.tolist() == one.roles.tolist()
        assert row.prompt_length == one.prompt_length


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: repr(template.source[:30]))
def test_every_row_is_that_of_its_rendered_text_whatever_it_holds(template):
    examples = random_examples(400)
    assert_same(encode_all(examples, template), [encode(template.render(example)) for example in examples])


def test_the_starter_set_is_encoded_as_one_by_one():
    examples, template = load_dataset("starter").examples[::7], load_template("alpaca")
    assert_same(encode_all(examples, template), [encode(template.render(example)) for example in examples])


def test_blocks_are_the_rows_in_order():
    examples = [Example(f"{i}", "", "x") for i in range(BLOCK + 5)]
    template = Template.parse("{{instruction}}:{{output}}")
    blocks = list(encode_blocks(examples, template))
    assert [len(block) for block in blocks] == [BLOCK, 5]
    assert_same(RowStore.joined(blocks)[BLOCK - 2 :], [encode(template.render(one)) for one in examples[BLOCK - 2 :]])


def test_no_records_no_rows():
    assert len(encode_all([], TEMPLATES[0])) == 0


# The store.

ROWS = [encoded(1, 2, 3, prompt_length=2), encoded(), encoded(4, roles=[Role.HEADER], prompt_length=1)]


def test_a_store_gives_its_rows_back():
    store = RowStore.of(ROWS)
    assert_same(store, ROWS)
    assert_same([store[-1], *store[:2]], [ROWS[2], *ROWS[:2]])
    assert store.lengths.tolist() == [4, 1, 2]
    assert (store.ids.dtype, store.roles.dtype) == (np.uint16, np.uint8)
    assert RowStore.of(store) is store
    with pytest.raises(IndexError):
        store[3]


def test_some_of_its_rows_in_any_order_are_a_store_again():
    assert_same(RowStore.of(ROWS).take([2, 0, 0]), [ROWS[2], ROWS[0], ROWS[0]])
    assert_same(RowStore.of(ROWS).take([1, 2]), ROWS[1:])
    assert_same(RowStore.of(ROWS).take([1, 2]).take([1]), ROWS[2:])
    assert len(RowStore.of(ROWS).take([])) == 0


def test_stores_are_joined_in_order():
    assert_same(RowStore.joined([RowStore.of(ROWS[:2]), RowStore.of([]), RowStore.of(ROWS[2:])]), ROWS)


def test_all_roles_but_padding_occur_in_a_row_with_an_input():
    (row,) = encode_all([Example("a", "b", "c")], load_template("alpaca"))
    assert set(row.roles.tolist()) == {int(role) for role in EVERYTHING}
