"""The lesson: what a teacher wrote, and where something is missing."""

import gradio as gr
import pytest
from gradio import EventData

from ift.data.templates import preset_source
from ift.errors import ConfigError
from playground.lesson import read_lesson
from playground.widgets.lesson_panel import LessonPanel
from playground.widgets.option_form import OPTIONS

STEP = "## One\n\nTab: 2\n\nA text.\n\nPredict: Why?\n\n- no\n- (x) so\n\nReveal: So.\n\nLook: There.\n"


def read(tmp_path, text):
    (tmp_path / "mine.md").write_text(text, encoding="utf-8")
    return read_lesson(tmp_path / "mine.md")


def test_what_ships_has_six_steps_with_a_guess_each_and_exercises():
    lesson = read_lesson()
    asked = [step for step in lesson.steps if step.choices]
    assert [step.title[0] for step in asked] == list("123456")
    assert all(step.reveal and step.look and step.right is not None for step in asked)
    assert [step.title.partition(":")[0] for step in lesson.steps[6:]] == ["Exercise"] * 4


def test_a_step_is_read_as_it_was_written(tmp_path, monkeypatch):
    lesson = read(tmp_path, f"# Mine\n\n<!-- a note -->\n\n{STEP}")
    (step,) = lesson.steps
    assert (lesson.title, step.tab, step.text, step.choices, step.right) == ("Mine", 2, "A text.", ("no", "so"), 1)
    monkeypatch.setenv("IFT_LESSON", str(tmp_path / "mine.md"))
    assert read_lesson().title == "Mine"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("Tab: 2", "Tab: 9", "names no tab"),
        ("(x) so", "so", "right one"),
        ("Reveal: So.", "", "needs its answers"),
        ("Predict: Why?", "", "needs its answers"),
        ("A text.", "Twin: x", "no experiment"),
        ("A text.", "Set: colour = red", "'colour = red' sets nothing"),
        ("A text.", "Set: r = many", "r can't be 'many'"),
        ("A text.", "Set: template = mine", "there is no template 'mine'"),
        ("A text.", "Set: learning_rate = 7", "learning_rate"),
    ],
)
def test_what_is_missing_is_named_with_its_step(tmp_path, old, new, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        read(tmp_path, STEP.replace(old, new))
    assert caught.value.where == "mine.md, step 'One'"


def test_an_exercise_sets_the_controls_it_names_and_no_others(tmp_path):
    lesson = read(
        tmp_path, STEP.replace("A text.", "Set: template = phi3, r = 16,\nlearning_rate = 1e-3\n\nSet: r = 0")
    )
    first, second = lesson.steps[0].setups
    assert (first.label, second.options) == ("template = phi3, r = 16, learning_rate = 1e-3", {"r": 0})
    panel = LessonPanel.__new__(LessonPanel)
    panel.lesson = lesson
    data, template, *masks = panel.values(EventData(None, {"step": 0, "setup": 0}))
    assert template == preset_source("phi3")
    hyper = dict(zip(OPTIONS, masks[4:], strict=True))
    assert hyper == {**dict.fromkeys(OPTIONS, data), "r": 16, "learning_rate": 1e-3}
    for sent in ({"step": 9, "setup": 0}, {"step": 0, "setup": -1}, {"step": True}, None, "x"):
        assert all(value == gr.skip() for value in panel.values(EventData(None, sent)))


def test_a_file_without_a_step_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no step"):
        read(tmp_path, "# Mine\n")
