"""One way from records to a batch: the grid, `ift batch` and the trainer have the very same tensors."""

import json

import numpy as np
import pytest

from ift.cli import main
from ift.config import TrainConfig
from ift.data.prepare import prepare
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.training.trainer import Trainer
from playground import caches
from playground.lens.payload import shown
from tests.helpers import tiny_model

MAX_LENGTH, SEED = 24, 3


@pytest.fixture
def data(tmp_path):
    """Thirty records of several lengths; some are cut, and some have no response left then."""
    records = [
        {"instruction": "word " * (n % 7 * 4), "input": "more" if n % 3 else "", "output": f"{n} " * (1 + n % 5)}
        for n in range(30)
    ]
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return str(path)


def test_the_grid_the_command_and_the_trainer_have_the_same_batch(data, template_file, capsys):
    config = TrainConfig(data=data, train_on="response", per_device_train_batch_size=6, seed=SEED)
    dataset, template = load_dataset(data), load_template(str(template_file))
    options = {"trained": config.trained, "max_length": MAX_LENGTH}
    rows = prepare(dataset.examples, template, n_positions=64, **options)
    trainer = Trainer(tiny_model(), config, train=rows.train, max_length=rows.max_length)
    trained = trainer._batch([rows.train[i] for i in next(trainer.order())])

    order = caches.training_order(data, template.source, **options, seed=SEED)
    records = order[: config.per_device_train_batch_size]
    grid = shown(dataset.examples, records, template, **options).batch

    words = ("--data", data, "--template", str(template_file), "--max_length", str(MAX_LENGTH))
    assert main(["batch", *words, "--rows", ",".join(map(str, records)), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)

    assert len(order) < len(rows.split.train)  # the case has rows without a target
    for name in ("inputs", "next_ids", "roles", "targets", "lengths"):
        assert np.array_equal(getattr(grid, name), getattr(trained, name)), name
    assert printed["inputs"] == trained.inputs.tolist()
    assert printed["targets"] == trained.targets.tolist()


def test_a_record_without_a_target_is_left_out_by_the_grid_and_the_command_alike(data, template_file, capsys):
    dataset, template = load_dataset(data), load_template(str(template_file))
    grid = shown(dataset.examples, range(30), template, trained=TrainConfig().trained, max_length=MAX_LENGTH)
    words = ("--data", data, "--template", str(template_file), "--max_length", str(MAX_LENGTH))
    assert main(["batch", *words, "--rows", ",".join(map(str, range(30))), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["rows"], printed["left_out"], printed["cut"]) == tuple(
        list(positions) for positions in (grid.records, grid.left_out, grid.cut)
    )
    assert grid.left_out
