"""The table of models on tab 3."""

from ift.training.model_table import model_choices
from playground.views.models import models_table


def test_each_model_has_its_size_its_fit_and_the_time_that_was_measured():
    free = 6_000_000_000
    shown = models_table(model_choices(free_bytes=free), free_bytes=free, times={"gpt2": 300.0})
    rows = {row.split("<br>")[0].rpartition(">")[2]: row for row in shown.split("<tr>")[2:]}
    assert "124 M, 1,024 tokens" in rows["gpt2"]
    assert "498 MB" in rows["gpt2"]
    assert "✓ fits" in rows["gpt2"]
    assert "about 5 min" in rows["gpt2"]
    assert "time not measured" in rows["gpt2-medium"]
    assert "! LoRA only" in rows["gpt2-large"]
    assert "✗ too large" in rows["gpt2-xl"]
    assert "none: is here" in rows["starter"]
    assert "6.0 GB of memory are free" in shown
