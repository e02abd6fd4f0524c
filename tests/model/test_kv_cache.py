"""Keys and values kept from step to step: the same as reading all again, whatever rows come and go."""

import torch

from ift.data.batching import collate
from ift.data.unpadded import unpad
from ift.model.gpt2_config import GPT2Config
from ift.model.kv_cache import KVCache, row_bytes
from ift.roles import Role
from ift.types import EOS_ID
from tests.helpers import encoded, tiny_model

PROMPTS = [[11, 22, 33], [11, 22, 44, 55, 66], [11]]


def read(model, prompts, *, size=16):
    """The cache of these prompts, and the last layer of each one's last token."""
    roles = [[Role.TEMPLATE] * len(ids) for ids in prompts]
    rows = [encoded(*ids, roles=row_roles) for ids, row_roles in zip(prompts, roles, strict=True)]
    batch = collate(rows, trained=frozenset({Role.EOS}))
    flat = {name: torch.from_numpy(getattr(unpad(batch), name)) for name in unpad(batch).__slots__}
    cache = KVCache(model.config, rows=len(prompts), size=size, like=model.wte.weight)
    cache.begin(torch.from_numpy(batch.lengths))
    names = ("inputs", "positions", "layout", "places", "wanted")
    return cache, model.read(*(flat[name] for name in names), cache)[flat["counted"]]


def uncached(model, rows):
    return torch.stack([model.hidden(torch.tensor([row]))[0, -1] for row in rows])


@torch.inference_mode()
def test_prompts_read_together_are_those_read_alone():
    model = tiny_model()
    _, last = read(model, PROMPTS)
    assert torch.allclose(last, uncached(model, PROMPTS), atol=1e-5)


@torch.inference_mode()
def test_a_step_gives_the_same_as_reading_all_again():
    model = tiny_model()
    cache, _ = read(model, PROMPTS)
    rows = PROMPTS
    for new in ([7, 8, 9], [1, 2, EOS_ID]):
        rows = [[*row, token] for row, token in zip(rows, new, strict=True)]
        assert torch.allclose(model.step(torch.tensor(new), cache), uncached(model, rows), atol=1e-5)


@torch.inference_mode()
def test_rows_leave_and_those_behind_move_into_the_gaps():
    model = tiny_model()
    prompts = [*PROMPTS, [5, 6], [9, 8, 7]]
    cache, _ = read(model, prompts)
    assert cache.drop([]) == [0, 1, 2, 3, 4]
    assert cache.drop([0, 3]) == [4, 1, 2]
    rows = [[9, 8, 7, 1], [*PROMPTS[1], 2], [*PROMPTS[2], 3]]
    assert torch.allclose(model.step(torch.tensor([1, 2, 3]), cache), uncached(model, rows), atol=1e-5)
    assert cache.drop([1, 2]) == [0]
    assert torch.allclose(model.step(torch.tensor([4]), cache), uncached(model, [[*rows[0], 4]]), atol=1e-5)
    assert cache.drop([0]) == []


@torch.inference_mode()
def test_what_stands_in_fresh_memory_does_not_reach_a_short_row():
    torch.use_deterministic_algorithms(True)  # fills fresh memory with NaN
    try:
        model = tiny_model()
        cache, _ = read(model, PROMPTS)
        assert model.step(torch.tensor([1, 2, 3]), cache).isfinite().all()
    finally:
        torch.use_deterministic_algorithms(False)


def test_a_row_of_gpt2_takes_72_kilobytes_a_token():
    assert row_bytes(GPT2Config(), 10) == 10 * 72 * 1024
