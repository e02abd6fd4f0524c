from itertools import islice

import numpy as np
import pytest

from ift.audit.statistics import dataset_statistics, padding_shares
from ift.data.batching import collate, pair_counts
from ift.data.bulk_encoding import encode_all
from ift.data.order import epoch_batches
from ift.data.templates import Template
from ift.masks import TRAIN_ON
from ift.roles import Role
from ift.types import IGNORE_INDEX, Example
from playground.views.numbers import numbers, padding_figure

TEMPLATE = Template.parse("Q: {{instruction}}\nA:{{output}}")
EXAMPLES = [Example("a", "", " one two three"), Example("long " * 30, "", " x"), Example("b", "", " y")]


def counted(examples=EXAMPLES, *, trained=TRAIN_ON["response"], max_length=16):
    return dataset_statistics(examples, TEMPLATE, trained=trained, max_length=max_length, batch_size=2, seed=5)


@pytest.mark.parametrize("trained", [TRAIN_ON["all"], TRAIN_ON["response"], frozenset({Role.HEADER})])
def test_the_trained_targets_are_those_of_the_batch(trained):
    batch = collate(encode_all(EXAMPLES, TEMPLATE), trained=trained, max_length=16)
    counts = np.bincount(batch.roles[batch.targets != IGNORE_INDEX], minlength=len(Role))
    found = counted(trained=trained)
    assert found.trained_by_role.tolist() == counts.tolist()
    assert found.tokens == batch.tokens


@pytest.mark.parametrize(
    ("way", "grouped"), [("batches as training draws them", False), ("the same with group_by_length", True)]
)
def test_padding_as_training_draws_it_is_that_of_the_trainers_own_batches(way, grouped):
    examples = [Example("a " * (7 * i % 12), "", " x") for i in range(41)]
    rows = encode_all(examples, TEMPLATE)
    order = epoch_batches(41, 2, seed=5, lengths=pair_counts(rows, 16) if grouped else None)
    batches = [
        collate([rows[i] for i in positions], trained=TRAIN_ON["all"], max_length=16) for positions in islice(order, 21)
    ]
    cells = sum(batch.inputs.size for batch in batches)
    padding = sum(batch.inputs.size - batch.tokens for batch in batches)
    assert counted(examples).padding[way] == pytest.approx(padding / cells)


def test_padding_by_strategy():
    shares = list(padding_shares(np.array([2, 8, 2, 8]), batch_size=2, block=16, seed=0).values())
    assert shares[0] == pytest.approx(12 / 32)
    assert shares[3] == 0
    assert shares[4] == pytest.approx(12 / 32)
    assert shares[5] == 0
    assert padding_shares(np.array([0]), batch_size=2, block=16, seed=0) == {}


def test_rows_that_deserve_a_look_are_named():
    examples = [*EXAMPLES, Example("a", "", " one two three"), Example("b", "", " z")]
    found = counted(examples)
    assert (found.without_eos, found.without_target) == ((1,), (1,))
    assert (found.same, found.conflicting) == ((3,), (4,))


def test_the_view_has_the_figures_numbers_as_a_table_and_the_rows_as_buttons():
    found = counted()
    shown = numbers(found, said="<b>")
    assert 'data-row="1"' in shown
    assert "&lt;b&gt;" in shown
    for name, share in found.padding.items():
        assert f"{share:.1%}" in shown
        assert name.replace("'", "&#x27;") in shown
    assert padding_figure(found)["data"][0]["x"][::-1] == [100 * share for share in found.padding.values()]
