"""The batch that takes the most memory runs first, and leaves no trace in what is trained."""

import copy
from dataclasses import replace

import pytest
import torch

from ift.config import TrainConfig
from ift.errors import TrainingError
from ift.events import Stepped
from ift.model.gpt2 import GPT2
from ift.roles import Role
from ift.training.memory_check import longest_batch, missing_memory, run_longest
from ift.training.trainer import Trainer
from tests.helpers import encoded, tiny_model

CONFIG = TrainConfig(
    train_on="all", per_device_train_batch_size=2, max_steps=6, eval_steps=100, warmup_steps=0, bf16=False, seed=7
)
ROWS = [encoded(*range(10, 10 + n)) for n in (3, 4, 30, 5, 6, 7, 8, 9)]


def trainer(model=None, config=CONFIG, rows=ROWS, **options):
    return Trainer(model or tiny_model(), config, train=rows, **options)


def losses_of(trained):
    return [event.loss for event in trained if isinstance(event, Stepped)]


def test_the_batch_with_the_longest_row_is_found():
    found = longest_batch(trainer())
    assert max(map(len, found)) == 31
    assert len(found) == 2


def test_it_is_one_that_training_really_makes():
    order = [tuple(map(len, rows)) for rows in made_batches()]
    assert tuple(map(len, longest_batch(trainer()))) in order


def made_batches():
    """The batches of the first epoch, as the trainer's own order has them."""
    one = trainer()
    return [[ROWS[i] for i in next(one._positions)] for _ in range(4)]


def test_of_batches_of_the_same_length_the_one_with_more_targets_is_found():
    roles = [Role.INSTRUCTION] * 9 + [Role.RESPONSE]
    quiet, loud = encoded(*range(10), roles=roles), encoded(*range(10))
    config = replace(CONFIG, train_on="response", per_device_train_batch_size=1)
    assert longest_batch(trainer(config=config, rows=[quiet, loud, quiet])) == [loud]


def test_rows_count_as_they_are_cut():
    roles = [Role.INSTRUCTION] * 29 + [Role.RESPONSE]
    long, short = encoded(*range(30), roles=roles), encoded(*range(8))
    config = replace(CONFIG, train_on="response", per_device_train_batch_size=1)
    assert longest_batch(trainer(config=config, rows=[long, short], max_length=8)) == [short]


def test_of_an_accumulated_step_only_one_batch_is_run():
    config = replace(CONFIG, gradient_accumulation_steps=2)
    assert run_longest(trainer(config=config)).rows == 2


@pytest.mark.parametrize("checkpointing", [False, True])
def test_it_changes_neither_weights_nor_random_numbers_nor_any_loss(checkpointing):
    config = replace(CONFIG, gradient_checkpointing=checkpointing)
    plain, probed = trainer(config=config), trainer(config=config)
    before = copy.deepcopy(probed.model.state_dict())
    random = torch.get_rng_state()
    run_longest(probed)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(tensor, before[name]) for name, tensor in probed.model.state_dict().items())
    assert all(weight.grad is None for weight in probed.model.parameters())
    assert not probed.optimizer.state
    assert losses_of(probed) == losses_of(plain)


def test_it_is_told_what_was_run_and_what_the_first_step_adds():
    one = trainer()
    event = run_longest(one)
    assert (event.step, event.rows, event.width) == (0, 2, 30)
    assert event.tokens == event.trained_tokens == sum(len(row) - 1 for row in longest_batch(one))
    assert event.batch_time_s > 0
    assert event.needed_bytes - event.peak_bytes == 8 * sum(weight.numel() for weight in one.model.parameters())


def test_a_run_that_goes_on_has_its_moments_already():
    one = trainer()
    next(one.advance())
    event = run_longest(one)
    assert (event.step, event.needed_bytes) == (1, event.peak_bytes)


def test_memory_that_the_first_step_will_lack_is_told():
    one = trainer()
    event = run_longest(one)
    assert missing_memory(one, event) == 0
    assert missing_memory(one, replace(event, needed_bytes=event.peak_bytes + 2**60)) > 2**59


class Hungry(GPT2):
    """A model that asks for more memory than there is, as a large one does."""

    def unpadded_hidden(self, inputs, *rest):
        return torch.empty(2**60) + super().unpadded_hidden(inputs, *rest)


def test_memory_that_runs_out_is_told_with_the_setting_that_helps():
    model = Hungry(tiny_model().config)
    with pytest.raises(TrainingError, match="Memory ran out") as caught:
        run_longest(trainer(model))
    assert caught.value.where == "the largest batch, 2 rows of up to 30 tokens"
    assert "per_device_train_batch_size 1 with gradient_accumulation_steps 2" in caught.value.fix
