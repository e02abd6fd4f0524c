"""Memory and time before the start: what is measured, what follows from it, and the nearest setting that fits."""

import json
import subprocess
import sys

import pytest

from ift.cli import main
from ift.config import TrainConfig, to_dict
from ift.errors import DataError, InputError
from ift.training import estimate as estimates
from ift.training.estimate import Probe, Setting, advice, duration, estimate
from tests.helpers import write_records

CONFIG = TrainConfig(per_device_train_batch_size=8, gradient_accumulation_steps=2)


def probe(**changes):
    """10 bytes of weights and program, 100 trained weights (400 of gradients, 800 of moments), 80 of a batch."""
    values = {
        "device": "cpu",
        "threads": 2,
        "bf16": False,
        "available_bytes": 2000,
        "parameters": 100,
        "trained_parameters": 100,
        "lora_parameters": 5,
        "rows": 8,
        "width": 100,
        "loaded_bytes": 10,
        "peak_bytes": 10 + 400 + 80,
        "steps": 20,
        "step_s": 2.0,
        "has_stepped": True,
        "evaluations": 3,
        "evaluation_s": 1.0,
        "start_s": 7.0,
    }
    return Probe(**{**values, **changes})


def made(config=CONFIG, probed=None, **changes):
    return estimates._estimate(config, probed or config, probe(**changes))


def options(estimated):
    return [setting.options for setting in estimated.nearest]


def test_what_is_measured_and_what_is_computed_add_up():
    estimated = made()
    assert (estimated.loaded_bytes, estimated.batch_bytes, estimated.moment_bytes) == (10, 480, 800)
    assert estimated.needed_bytes == 1290
    assert estimated.fits
    assert estimated.nearest == ()


def test_the_time_is_that_of_the_steps_the_evaluations_and_the_start():
    assert probe().time_s == 7 + 20 * 2 + 3 * 1


def test_what_just_fits_fits():
    assert made(available_bytes=1290).fits
    assert not made(available_bytes=1289).fits


def test_the_nearest_setting_is_the_same_step_in_the_largest_parts_that_fit():
    first = made(available_bytes=1240).nearest[0]
    assert first.options == {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 8}
    assert first.needed_bytes == 1210 + 20
    assert first.text == "per_device_train_batch_size 2 and gradient_accumulation_steps 8"


def test_parts_are_only_offered_where_they_make_the_same_step():
    config = TrainConfig(per_device_train_batch_size=6)
    sizes = [made(config, rows=6, available_bytes=free).nearest[0].options for free in (1270, 1240)]
    assert [one["per_device_train_batch_size"] for one in sizes] == [3, 2]
    assert [one["gradient_accumulation_steps"] for one in sizes] == [2, 3]


def test_shorter_rows_are_offered_where_some_length_is_left():
    assert {"max_length": 48} in options(made(available_bytes=1250))
    assert not [one for one in options(made(available_bytes=1210 + 24)) if "max_length" in one]


def test_lora_is_offered_where_the_weights_are_too_many():
    estimated = made(available_bytes=200)
    assert options(estimated) == [{"r": 8}]
    assert estimated.nearest[0].needed_bytes == 10 + 12 * 5 + 80


def test_lora_and_smaller_parts_are_offered_together():
    assert options(made(available_bytes=100)) == [
        {"r": 8, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 8}
    ]


def test_who_has_lora_is_not_offered_it():
    config = TrainConfig(per_device_train_batch_size=8, r=4)
    assert options(made(config, trained_parameters=5, peak_bytes=10 + 20 + 80, available_bytes=92)) == [
        {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 4}
    ]


def test_nothing_is_offered_that_does_not_fit():
    assert made(available_bytes=50).nearest == ()


def test_from_one_row_of_lora_the_whole_is_computed():
    probed = TrainConfig(per_device_train_batch_size=1, gradient_accumulation_steps=2, r=8)
    small = {"rows": 1, "trained_parameters": 5, "peak_bytes": 10 + 20 + 10}
    estimated = made(CONFIG, probed, available_bytes=500, **small)
    assert (estimated.batch_bytes, estimated.moment_bytes, estimated.is_measured) == (8 * 10 + 400, 800, False)
    assert options(estimated) == [{"r": 8}]


def test_what_is_tried_first_where_not_even_a_probe_has_room():
    tried = [(one.per_device_train_batch_size, one.r) for one in estimates._smaller(CONFIG)]
    assert tried == [(8, 0), (1, 0), (1, 8)]
    assert [one.r for one in estimates._smaller(TrainConfig(per_device_train_batch_size=1, r=4))] == [4]


def test_the_advice_of_a_run_names_the_numbers():
    assert "per_device_train_batch_size 4 with gradient_accumulation_steps 4 (the same result)" in advice(CONFIG)
    assert "LoRA" in advice(CONFIG)
    assert "LoRA" not in advice(TrainConfig(r=2))
    assert "per_device_train_batch_size" not in advice(TrainConfig(per_device_train_batch_size=1))


@pytest.mark.parametrize(
    ("seconds", "said"), [(4.4, "4 seconds"), (89, "89 seconds"), (150, "2 minutes"), (9000, "2.5 hours")]
)
def test_a_duration_is_told_in_its_own_unit(seconds, said):
    assert duration(seconds) == said


# With a real probe.


@pytest.fixture
def config(names):
    return TrainConfig(
        **names,
        per_device_train_batch_size=4,
        max_steps=5,
        eval_steps=2,
    )


def test_a_probe_measures_this_configuration(config):
    estimated = estimate(config)
    probe = estimated.probe
    assert (probe.rows, probe.steps, probe.evaluations, probe.has_stepped) == (4, 5, 4, True)
    assert probe.trained_parameters == probe.parameters == 50257 * 16 + 64 * 16 + 2 * 3280 + 32
    assert 0 < probe.loaded_bytes < probe.peak_bytes < estimated.needed_bytes < probe.available_bytes
    assert estimated.moment_bytes == 8 * probe.parameters
    assert min(probe.step_s, probe.evaluation_s, probe.start_s) > 0
    assert estimated.is_measured


def test_the_command_prints_json_and_leaves_no_run(config, capsys, tmp_path):
    before = sorted(tmp_path.iterdir())
    given = ("model", "data", "template", "max_steps")
    words = [word for name in given for word in (f"--{name}", str(getattr(config, name)))]
    assert main(["estimate", *words, "--r", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fits"] is True
    assert said["needed_bytes"] == said["loaded_bytes"] + said["batch_bytes"] + said["moment_bytes"]
    assert said["moment_bytes"] == 8 * said["probe"]["trained_parameters"] == 8 * 2 * 2 * (16 + 48)
    assert sorted(tmp_path.iterdir()) == before


def test_data_that_can_not_be_used_is_told_as_by_a_run(config, tmp_path):
    write_records(tmp_path / "records.json", range(1))
    with pytest.raises(InputError, match="The training split is empty") as caught:
        estimate(config)
    assert not isinstance(caught.value, DataError)  # it comes from another process, as its text
    assert caught.value.fix


LIMITED = """
import json, sys
import psutil
from ift.training import estimate
from ift.config import TrainConfig
process = psutil.Process()
process.rlimit(psutil.RLIMIT_DATA, (int(sys.argv[2]), int(sys.argv[2])))
print(estimate._probe(TrainConfig(**json.loads(sys.argv[1])), attached=False))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory so")
def test_a_probe_without_room_says_so_and_harms_nobody(config):
    command = [sys.executable, "-c", LIMITED, json.dumps(to_dict(config)), str(60 << 20)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_a_setting_is_told_by_its_options():
    assert Setting(options={"max_length": 64}, needed_bytes=1, note="x").text == "max_length 64"
