"""The runs beside the settings of tab 3: how each ended, what it is called, and what decides it."""

import json

import pytest

from ift.config import TrainConfig
from ift.events import Evaluated, Finished
from ift.runs.folder import Run
from ift.runs.run_config import RunConfig, RunData, SplitCounts
from ift.runs.run_note import FILE, RunNote, clean_note, read_note, write_note
from ift.runs.state import State
from playground.views.run_list import about, run_list


def make_run(folder, *losses, **options):
    folder.mkdir(parents=True)
    run = Run(folder)
    data = RunData(name="starter", sha256="", records=9, split=SplitCounts(7, 1, 1, from_file=False))
    config = RunConfig(options=TrainConfig(**options), template_source="{{instruction}} {{output}}", data=data)
    run.write_json("config.json", config.to_dict())
    for i, loss in enumerate(losses):
        run.training.append(Evaluated(step=i, total_steps=9, loss=loss, trained_tokens=1, loss_by_role={}))
    run.training.append(Finished(step=9))
    return run


@pytest.mark.parametrize(
    ("losses", "sign"), [((2.0, 0.5), "finished"), ((1.0, 4.5), "the loss rose"), ((), "finished")]
)
def test_a_run_whose_loss_rose_is_not_shown_as_a_success(tmp_path, losses, sign):
    run = make_run(tmp_path / "r-01", *losses)
    assert f'aria-label="{sign}"' in run_list([(run, State.FINISHED)], None)


def test_a_name_and_a_note_are_kept_in_the_folder_and_shown_escaped(tmp_path):
    run = make_run(tmp_path / "r-01", 1.0, 0.5)
    write_note(run, clean_note("<b>mine</b>\n", "why"))
    assert read_note(run) == RunNote("<b>mine</b>", "why")
    shown = run_list([(run, State.FINISHED)], "r-01")
    assert "<b>&lt;b&gt;mine&lt;/b&gt;</b>" in shown
    assert 'data-run="r-01"' in shown
    assert 'aria-current="true"' in shown


@pytest.mark.parametrize("damaged", ["", "[]", '{"title": 3}', "{"])
def test_a_damaged_note_is_none(tmp_path, damaged):
    run = make_run(tmp_path / "r-01")
    (run.path / FILE).write_text(damaged, encoding="utf-8")
    assert read_note(run) == RunNote()


def test_a_note_from_a_page_is_cut_and_made_of_texts_only():
    assert clean_note(None, {"a": 1}) == RunNote()
    assert len(clean_note("x" * 999, "y" * 9999).title) == 60
    json.dumps(clean_note("\ud800", "").title).encode()


def test_what_decides_a_run_is_said_in_few_words_with_its_presets_rate(tmp_path):
    run = make_run(tmp_path / "r-01", learning_rate=0.03, max_steps=50)
    found = about(run)
    assert found["summary"] == ["starter", "alpaca", "response", "50 steps", "lr 0.03", "batch 16"]
    assert (found["learning_rate"], found["preset_rate"]) == (0.03, 3e-4)
    (run.path / "config.json").write_text("{", encoding="utf-8")
    assert about(run) == {}
    assert "can&#x27;t be read" in run_list([(run, State.FAILED)], None)
