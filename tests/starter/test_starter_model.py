"""How the starter's weights are made: a compact softmax, Muon, a pretraining that goes on where it was cut off."""

import math
import os
import signal
import threading
import time
from itertools import islice

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ift.cli import main
from ift.cli.progress_bars import STOPPED
from ift.errors import ConfigError
from ift.events import Evaluated, Stepped
from ift.model.gpt2 import initialized
from ift.model.gpt2_config import GPT2Config
from ift.model.known_tokens import known_ids
from ift.model.load_by_name import load_model
from ift.starter import quality
from ift.starter.build import build
from ift.starter.compact import VOCAB_SIZE, CompactGPT2, row_of_id
from ift.starter.muon import Muon, orthogonal
from ift.starter.pretraining import VALIDATION_WINDOWS, PretrainConfig, Pretrainer
from ift.starter.tasks import Record

IDS = torch.tensor([3, 10, 50256])
TINY = PretrainConfig(n_positions=16, n_embd=16, n_layer=1, n_head=2, steps=8, batch_size=2, eval_steps=4, save_steps=4)


def compact(ids=IDS):
    model = initialized(CompactGPT2(GPT2Config(len(ids) + 1, 16, 16, 2, 2), ids), seed=0)
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    return model.eval()


def no_progress(done, total):
    pass


# The compact softmax.


def test_an_id_has_its_row_and_all_others_share_the_last():
    rows = row_of_id(IDS.numpy())
    assert [rows[3], rows[10], rows[50256], rows[0], rows[11]] == [0, 1, 2, 3, 3]


@torch.inference_mode()
def test_the_full_size_model_gives_the_same_probabilities():
    model = compact()
    ids = torch.tensor([[3, 10, 50256, 10]])
    rows = torch.from_numpy(row_of_id(IDS.numpy()))[ids]
    small, large = (F.softmax(m(x).double(), dim=-1) for m, x in ((model, rows), (model.full_size(), ids)))
    torch.testing.assert_close(large[..., IDS], small[..., :-1])
    others = torch.ones(VOCAB_SIZE, dtype=torch.bool)
    others[IDS] = False
    torch.testing.assert_close(large[..., others].sum(dim=-1), small[..., -1])


@torch.inference_mode()
def test_a_sampled_softmax_is_about_the_whole_one():
    model = compact(torch.arange(400))
    hidden, targets = torch.randn(6, 16, generator=torch.Generator().manual_seed(2)), torch.tensor([1, 5, 5, 300, 7, 0])
    exact = F.cross_entropy(model.logits(hidden), targets)
    rng = torch.Generator().manual_seed(3)
    drawn = [model.sampled_loss(hidden, targets, negatives=200, rng=rng).item() for _ in range(200)]
    assert np.mean(drawn) == pytest.approx(exact.item(), rel=0.05)
    assert np.std(drawn) > 0


# Muon.


@pytest.mark.parametrize("shape", [(8, 8), (4, 12), (12, 4)])
def test_an_orthogonal_matrix_has_singular_values_about_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.5
    assert values.max() < 1.5


def test_a_step_is_torchs_own_up_to_its_bf16():
    rng = torch.Generator().manual_seed(0)
    start = torch.randn(24, 16, generator=rng)
    grads = [torch.randn(24, 16, generator=rng) for _ in range(3)]
    ends = []
    for make in (Muon, lambda p, **options: torch.optim.Muon(p, adjust_lr_fn="match_rms_adamw", **options)):
        weight = torch.nn.Parameter(start.clone())
        optimizer = make([weight], lr=0.01, weight_decay=0.1)
        for grad in grads:
            weight.grad = grad.clone()
            optimizer.step()
        ends.append(weight.detach() - start)
    assert F.cosine_similarity(ends[0].ravel(), ends[1].ravel(), dim=0) > 0.999
    torch.testing.assert_close(ends[0].norm(), ends[1].norm(), rtol=0.02, atol=0)


# Pretraining.


def text(config):
    ids = np.append(np.arange(99), 50256).astype(np.uint16)
    return np.random.default_rng(0).choice(ids, config.tokens), ids


def test_the_rate_rises_and_falls_to_a_fiftieth():
    config = PretrainConfig(steps=100, warmup_steps=10, learning_rate=1.0)
    assert config.rate(1) == pytest.approx(0.1)
    assert config.rate(11) == pytest.approx(0.9)
    assert config.rate(100) == pytest.approx(0.02)


def test_events_come_for_each_step_and_the_validation(tmp_path):
    events = list(Pretrainer(TINY, *text(TINY), tmp_path / "state"))
    assert [event.step for event in events if isinstance(event, Stepped)] == list(range(1, 9))
    assert [event.step for event in events if isinstance(event, Evaluated)] == [4, 8]
    assert all(math.isfinite(event.loss) for event in events)
    assert events[0].tokens == 2 * 16


def test_the_text_is_read_once_and_its_beginning_never_trained_on(tmp_path):
    tokens, ids = text(TINY)
    trainer = Pretrainer(TINY, tokens, ids, tmp_path / "state")
    assert len(trainer.validation) == VALIDATION_WINDOWS * 16 + 1
    assert len(trainer.order) == TINY.steps * TINY.batch_size
    assert len(set(trainer.order.tolist())) == len(trainer.order)


def test_a_cut_off_pretraining_ends_with_the_same_weights_bit_for_bit(tmp_path):
    whole = Pretrainer(TINY, *text(TINY), tmp_path / "whole")
    list(whole)
    list(islice(Pretrainer(TINY, *text(TINY), tmp_path / "cut"), 7))  # six steps and a validation; saved after four
    again = Pretrainer(TINY, *text(TINY), tmp_path / "cut")
    assert again.step == 4
    list(again)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name


# The whole build.


def test_a_build_leaves_a_data_set_and_a_model_that_loads(tmp_path):
    list(islice(build(tmp_path, TINY, progress=no_progress), 6))  # cut off
    events = list(build(tmp_path, TINY, progress=no_progress))
    assert [event.step for event in events if isinstance(event, Stepped)] == [5, 6, 7, 8]
    model = load_model(str(tmp_path / "starter"))
    assert (model.config.n_embd, model.config.vocab_size) == (16, VOCAB_SIZE)
    assert known_ids(str(tmp_path / "starter"))
    assert (tmp_path / "data" / "starter.json").is_file()


def test_a_folder_with_another_recipe_is_left_alone(tmp_path):
    list(islice(build(tmp_path, TINY, progress=no_progress), 1))
    with pytest.raises(ConfigError, match="another recipe"):
        next(build(tmp_path, PretrainConfig(steps=9), progress=no_progress))


@pytest.mark.parametrize("option", [("--steps", "0"), ("--seed", "-1")])
def test_a_recipe_that_makes_no_sense_is_told_in_one_line(tmp_path, capsys, option):
    assert main(["starter", "build", "--out", str(tmp_path / "out"), *option]) == 2
    assert capsys.readouterr().err.startswith("Error: ")
    assert not (tmp_path / "out").exists()


def test_an_interrupted_build_exits_as_one_that_was_stopped(tmp_path, capsys):
    steps = tmp_path / "work" / "events.jsonl"

    def interrupt():
        while not steps.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        assert main(["starter", "build", "--out", str(tmp_path), "--steps", "20"]) == STOPPED
    finally:
        thread.join()
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "starter" / "model.safetensors").exists()


# Quality measures.


def test_a_text_repeats_itself_where_eight_tokens_come_twice():
    line = "the fox sat on the hill and looked at the moon"
    assert quality.repeats([line, f"{line} {line}", ""]) == 1


@pytest.mark.parametrize(
    ("said", "is_answered"),
    [
        ("The capital of Peru is Lima.", 1.0),
        ("Peru: Lima", 1.0),
        ("Lima", 0.0),
        ("Peru is nice.\nLima is its capital.", 0.0),
        ("", 0.0),
    ],
)
def test_a_question_counts_as_answered_where_the_first_line_has_key_and_answer(said, is_answered):
    record = Record("Which city?", "", "The capital of Peru is Lima.", "capital", "test", key="Peru", value="Lima")
    assert quality.is_answered(said, record) == is_answered


def test_cloze_leaves_out_relations_with_many_true_answers():
    assert quality.cloze_mean({"capital": 1.0, "job": 0.0}) == 1.0
