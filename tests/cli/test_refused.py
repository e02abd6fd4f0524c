"""What the command line refuses leaves nothing behind, and is told with its place."""

import pytest

from ift.cli import main
from ift.events import Started, Stopped

TOO_SHORT = ("--max_length", "2", "--max_length_policy", "raise")


@pytest.fixture
def train(names, tmp_path):
    """Train one step into the folder `new`; gives the exit code."""
    words = [word for name, value in names.items() for word in (f"--{name}", value)]
    return lambda *more: main(["train", *words, "--out", str(tmp_path / "new"), "--max_steps", "1", *more])


def test_a_run_that_is_refused_leaves_no_folder(train, tmp_path, capsys):
    assert train(*TOO_SHORT) == 2
    assert "rows are longer than 2 tokens" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert train() == 0


def test_what_stands_beside_a_refused_run_stays(train, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "run.log").write_text("mine", encoding="utf-8")
    assert train(*TOO_SHORT) == 2
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["run.log"]


def test_an_option_of_a_wrong_type_in_a_runs_config_is_told(run, capsys):
    config = run.config.to_dict()
    config["config"]["learning_rate"] = "x"
    run.write_json("config.json", config)
    assert main(["train", "--resume", str(run.path)]) == 2
    assert "learning_rate is text, not a number" in capsys.readouterr().err


def test_a_damaged_log_is_told_with_its_place(run, capsys):
    run.training.append(Started(step=0, pid=1, process_time=1.0))
    with run.training.path.open("ab") as log:
        log.write(b"garbage\n")
    run.training.append(Stopped(step=3, reason="x"))
    assert main(["train", "--resume", str(run.path)]) == 2
    said = capsys.readouterr().err
    assert "Not an event: 'garbage'" in said
    assert str(run.training.path) in said


def test_only_train_works_in_several_processes(monkeypatch, capsys):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, said in (("0", "Only train works in several processes"), ("1", "")):
        monkeypatch.setenv("RANK", rank)
        assert main(["data"]) == 2
        assert said in capsys.readouterr().err
