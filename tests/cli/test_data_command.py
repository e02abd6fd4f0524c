"""`python -m ift data`, and the options that go with every `--data`."""

import json

import pytest

from ift.cli import main

GOOD = {"instruction": "Q", "input": "", "output": "A"}
BAD = {"instruction": "Q", "input": "", "output": None}


@pytest.fixture
def write(tmp_path):
    def write(rows, name="mine.json"):
        path = tmp_path / name
        path.write_text(json.dumps(rows), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def data(capsys):
    """Run `data --json`: (exit code, JSON)."""

    def data(path, *words):
        code = main(["data", "--data", path, "--json", *words])
        return code, json.loads(capsys.readouterr().out)

    return data


def test_json_holds_all_that_was_made_of_the_file(data, write):
    rows = [{"prompt": "Q", "completion": n, "id": n} for n in range(20)]
    code, shown = data(write(rows))
    assert code == 0
    assert {name: shown[name] for name in ("records", "format", "layout", "unused_fields", "converted", "dropped")} == {
        "records": 20,
        "format": "json",
        "layout": "prompt-completion",
        "unused_fields": {"id": 20},
        "converted": {"completion": 20},
        "dropped": 0,
    }
    assert shown["split"] == {"train": 17, "validation": 1, "test": 2, "from_file": False}
    assert (shown["problems"], shown["empty_splits"]) == ([], [])
    found = {one["code"]: (one["severity"], one["rows"], one["examples"]) for one in shown["findings"]}
    assert found["conflicting-answers"] == ("warning", 19, list(range(1, 9)))


def test_problems_are_all_listed_and_the_exit_code_is_2(data, write):
    code, shown = data(write([GOOD, BAD, GOOD, {**BAD, "instruction": []}]))
    assert code == 2
    assert shown["problems"] == [
        {"row": 1, "field": "output", "problem": "'output' is null, not text"},
        {"row": 3, "field": "instruction", "problem": "'instruction' is a list, not text"},
        {"row": 3, "field": "output", "problem": "'output' is null, not text"},
    ]
    assert (shown["records"], shown["dropped"]) == (2, 2)


def test_problems_can_be_left_out_and_the_rest_written(data, write, tmp_path):
    record = {"question": "Q", "context": "I", "answer": 7, "split": "test", "task": "sums"}
    code, shown = data(
        write([record, {**record, "answer": None}]), "--on_error", "drop", "--write", str(tmp_path / "c")
    )
    assert (code, shown["dropped"], len(shown["problems"])) == (0, 1, 1)
    written = (tmp_path / "c").read_text(encoding="utf-8")
    assert json.loads(written) == {"instruction": "Q", "input": "I", "output": "7", "split": "test", "task": "sums"}
    code, shown = data(str(tmp_path / "c"))
    assert (code, shown["records"], shown["layout"], shown["format"]) == (0, 1, "alpaca", "jsonl")


def test_nothing_is_written_of_a_file_that_is_refused(data, write, tmp_path):
    assert data(write([GOOD, BAD]), "--write", str(tmp_path / "clean.jsonl"))[0] == 2
    assert not (tmp_path / "clean.jsonl").exists()


def test_the_data_file_itself_is_never_replaced(write, capsys):
    path = write([GOOD])
    assert main(["data", "--data", path, "--write", path]) == 2
    assert "The data file itself would be replaced" in capsys.readouterr().err


def test_the_check_and_what_is_held_out_survive_writing(data, write, tmp_path):
    record = {**GOOD, "check": {"any_of": ["a"], "at_least": 1, "sentences": 2}, "held_out": ["fact"]}
    data(write([record]), "--write", str(tmp_path / "clean.jsonl"))
    assert json.loads((tmp_path / "clean.jsonl").read_text(encoding="utf-8")) == record


def test_the_text_says_the_same(write, capsys):
    rows = [GOOD, {**GOOD, "context": "x"}, BAD, {**GOOD, "output": 1}]
    assert main(["data", "--data", write(rows)]) == 2
    out, err = capsys.readouterr()
    assert "mine.json: 3 records, of 4 rows" in out
    assert "layout alpaca: instruction from instruction, input from input, output from output" in out
    assert "Not used: context in 1 record; did you mean input?" in out
    assert "Numbers and truth values became text: output in 1 record." in out
    assert "row 2, field output: 'output' is null, not text." in out
    assert "warning, split-empty: The test split is empty." in out
    assert err.startswith("Error: 'output' is null, not text (mine.json, row 2, field output)")


def test_a_file_without_a_good_record_lists_its_problems(data, write):
    code, shown = data(write([BAD, BAD]), "--on_error", "drop")
    assert (code, shown["records"], len(shown["problems"])) == (2, 0, 2)


@pytest.mark.parametrize("command", ["lint", "batch"])
def test_what_is_not_used_is_said_once_wherever_the_data_are(command, write, capsys):
    path = write([{"instruction": "Q", "context": "I", "output": "A"}] * 12)
    assert main([command, "--data", path, *(["--rows", "0"] if command == "batch" else [])]) == 0
    err = capsys.readouterr().err
    assert err.count("Not used: context in 12 records; did you mean input? Use --fields input=context.") == 1
    assert main([command, "--data", path, "--fields", "input=context"]) == 0
    assert "Not used" not in capsys.readouterr().err


def test_a_run_records_how_its_data_were_read_and_scores_them_so(names, tmp_path, capsys):
    rows = [{"q": f"{n}?", "a": n} for n in range(20)] + [{"q": None, "a": 1}]
    path = tmp_path / "own.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    words = [word for name, value in ({**names, "data": str(path)}).items() for word in (f"--{name}", value)]
    options = ["--fields", "instruction=q,output=a", "--on_error", "drop"]
    run = tmp_path / "run"
    assert main(["train", *words, *options, "--max_steps", "1", "--out", str(run)]) == 0
    assert "Left out: 1 of 21 rows" in capsys.readouterr().err
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    assert {name: config["config"][name] for name in ("layout", "fields", "turns", "on_error")} == {
        "layout": "auto",
        "fields": "instruction=q,output=a",
        "turns": "last",
        "on_error": "drop",
    }
    assert main(["evaluate", str(run), "--max_new_tokens", "1"]) == 0
    assert len((run / "after.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_train_warns_of_an_empty_test_split_and_of_split_names_that_do_not_count(names, tmp_path, capsys):
    path = tmp_path / "own.json"
    path.write_text(json.dumps([{**GOOD, "split": "train"}] * 5 + [GOOD] * 4), encoding="utf-8")
    words = [word for name, value in ({**names, "data": str(path)}).items() for word in (f"--{name}", value)]
    assert main(["train", *words, "--max_steps", "1", "--out", str(tmp_path / "run")]) == 0
    err = capsys.readouterr().err
    assert "No test record" in err
    assert "4 records name no split although others do" in err


@pytest.mark.parametrize("command", ["data", "lint"])
def test_data_and_lint_find_the_same_under_a_mask_and_a_limit(command, write, capsys):
    rows = [{"instruction": f"Q{n}", "input": "<noinput>", "output": f"A{n} END of it"} for n in range(20)]
    template = write([], "template.txt")
    with open(template, "w", encoding="utf-8") as file:
        file.write("{{instruction}} {{input}}:\n{{output}} END")
    words = ["--data", write(rows), "--template", template, "--train_on", "response,pad", "--max_length", "8"]
    assert main([command, *words, "--json"]) == 0
    found = {one["code"]: one["rows"] for one in json.loads(capsys.readouterr().out)["findings"]}
    expected = {"eos-masked": 0, "padding-trained": 0, "row-cut": 20, "placeholder": 20, "ending-in-output": 20}
    assert expected.items() <= found.items()
    assert main([command, *words]) == 0
    assert "warning, ending-in-output: " in capsys.readouterr().out
