"""The lesson: what a teacher wrote, and where something is missing."""

import pytest

from ift.errors import ConfigError
from playground.lesson import read_lesson

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
    ],
)
def test_what_is_missing_is_named_with_its_step(tmp_path, old, new, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        read(tmp_path, STEP.replace(old, new))
    assert caught.value.where == "mine.md, step 'One'"


def test_a_file_without_a_step_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no step"):
        read(tmp_path, "# Mine\n")
