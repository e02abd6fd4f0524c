"""The command line, as people and machines rely on it."""

import json
import shutil
import threading
import time

import pytest

from ift.cli import main
from ift.data.batching import collate
from ift.data.bulk_encoding import encode_all
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.errors import RunError
from ift.events import Stepped, Warned, from_json
from ift.masks import TRAIN_ON
from ift.runs.folder import Run, open_run
from ift.runs.state import State
from ift.types import EOS_ID
from tests.helpers import save_model, signals_kept, tiny_model


@pytest.fixture
def call(capsys):
    """Run a command that must succeed; gives what it printed."""

    def call(*words):
        capsys.readouterr()
        assert main([str(word) for word in words]) == 0
        return capsys.readouterr().out

    return call


@pytest.fixture
def refuse(capsys):
    """Run a command that must fail as an input error; gives its one line."""

    def refuse(*words):
        capsys.readouterr()
        assert main([str(word) for word in words]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert err.startswith("Error: ")
        return err

    return refuse


# batch


@pytest.fixture
def batch(call, data_file, template_file):
    def batch(*words):
        return json.loads(call("batch", "--data", data_file, "--template", template_file, "--json", *words))

    return batch


def test_batch_prints_the_tensors_that_the_trainer_gets(batch, data_file, template_file):
    examples = load_dataset(str(data_file)).examples
    rows = encode_all([examples[i] for i in (0, 1, 2)], load_template(str(template_file)))
    made = collate(rows, trained=TRAIN_ON["response"])
    shown = batch("--rows", "0,1,2")
    assert shown["inputs"] == made.inputs.tolist()
    assert shown["targets"] == made.targets.tolist()
    assert (shown["width"], shown["left_out"], shown["rows"]) == (made.width, [], [0, 1, 2])
    assert (shown["padding_share"], shown["trained_share"]) == (made.padding_share, made.trained_share)


def test_roles_are_lower_case_names_of_the_targets(batch):
    (roles,) = batch("--rows", "0")["roles"]
    header = ["header"] * 4  # ? ↵ A :  … the question mark belongs to the instruction
    assert roles == ["template", *["instruction"] * 3, *header[1:], "response", "eos"]


def test_rows_are_positions_in_the_file_before_any_split(batch):
    assert len(batch("--rows", "17,19")["inputs"]) == 2  # a test and a validation record


@pytest.mark.parametrize("name", ["all", "response-and-header", "response"])
def test_a_mask_leaves_the_inputs_and_hides_targets(batch, name):
    shown = batch("--rows", "0", "--train-on", name)
    trained = {role.label for role in TRAIN_ON[name]}
    hidden = [target == -100 for target in shown["targets"][0]]
    assert hidden == [role not in trained for role in shown["roles"][0]]
    assert shown["targets"][0][-1] == EOS_ID


def test_roles_with_commas_are_a_mask_too(batch):
    assert batch("--rows", "0", "--train-on", "eos")["targets"][0][:-1] == [-100] * 8


def test_hyphen_and_underscore_are_the_same_in_every_option(batch):
    assert batch("--train-on", "all", "--max-length", "3") == batch("--train_on=all", "--max_length=3")


def test_max_length_cuts_and_says_which_rows_it_cut(batch):
    shown = batch("--rows", "3,4", "--max-length", "8")
    assert (shown["width"], shown["cut"], shown["left_out"]) == (8, [3, 4], [])


def test_rows_without_a_trained_target_appear_in_left_out_only(batch):
    shown = batch("--rows", "3,4", "--max-length", "2")
    assert (shown["left_out"], shown["rows"], shown["inputs"], shown["targets"]) == ([3, 4], [], [], [])


def test_a_batch_is_as_wide_as_its_longest_row_or_the_data_sets_or_a_number(batch, data_file):
    records = json.loads(data_file.read_text(encoding="utf-8"))
    records[19]["output"] = "one two three"
    data_file.write_text(json.dumps(records), encoding="utf-8")
    widths = [batch("--rows", "0", "--pad", pad)["width"] for pad in ("batch", "dataset", "20")]
    assert widths == [9, 11, 20]


def test_a_fixed_width_below_the_longest_row_is_refused(refuse, data_file, template_file):
    words = ("batch", "--data", data_file, "--template", template_file, "--json")
    assert "A width of 3 is below the longest row, 9" in refuse(*words, "--pad", "3")


def test_nothing_but_batch_shows_the_starters_first_rows(call):
    shown = json.loads(call("batch", "--json"))
    assert shown["rows"] == [0, 1, 2]
    assert "row 2" in call("batch")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--rows", "0,20"], "'20' is not a row of the data set"),
        (["--rows", "-1"], "'-1' is not a row of the data set"),
        (["--rows", ""], "'' is not a row of the data set"),
        (["--pad", "wide"], "'wide' is not a width"),
        (["--train-on", "answers"], "'answers' is not a set of roles"),
        (["--max-length", "0"], "max_length: 0 is below 1. Use at least 1"),
        (["--template", "absent"], "can't be read"),
        (["--data", "absent.json"], "There is no data set 'absent.json'"),
        (["--data", "x" * 5000], "There is no data set"),
    ],
)
def test_what_batch_can_not_use_is_told_in_one_line(refuse, data_file, words, line):
    assert line in refuse("batch", "--data", data_file, *words)


def test_a_template_mistake_is_told_with_line_and_column(refuse, tmp_path, data_file):
    (tmp_path / "bad.txt").write_text("Q:\n{{question}} {{output}}", encoding="utf-8")
    assert "line 2, column 1" in refuse("batch", "--data", data_file, "--template", tmp_path / "bad.txt")


def test_a_bad_record_is_told_with_row_and_field(refuse, tmp_path):
    (tmp_path / "bad.json").write_text('[{"instruction": "a", "output": null}]', encoding="utf-8")
    assert "row 0, field output" in refuse("batch", "--data", tmp_path / "bad.json")


@pytest.mark.parametrize("words", [[], ["fly"], ["batch", "--color", "red"], ["batch", "--max-length", "many"]])
def test_a_command_that_makes_no_sense_is_told_in_one_line_and_exits_with_2(refuse, words):
    assert refuse(*words)


# data


def test_data_counts_what_a_set_holds(call, data_file, template_file):
    shown = json.loads(call("data", "--data", data_file, "--template", template_file, "--json"))
    assert shown["records"] == 20
    assert shown["split"] == {"train": 17, "validation": 1, "test": 2, "from_file": False}
    assert shown["tokens"]["longest"] == 10
    assert shown["sha256"] == load_dataset(str(data_file)).sha256
    assert "20 records" in call("data", "--data", data_file, "--template", template_file)


# train, evaluate, generate


def train_words(model, data, template, out, *words):
    options = ["--max-steps", 2, "--per-device-train-batch-size", 4, "--learning-rate", 0.01, *words]
    return [str(w) for w in ["train", "--model", model, "--data", data, "--template", template, "--out", out, *options]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_folder):
    """A run of two steps on twenty records; nobody writes to it."""
    from tests.helpers import write_records

    folder = tmp_path_factory.mktemp("trained")
    (folder / "short.txt").write_text("Q: {{instruction}}\nA:{{output}}", encoding="utf-8")
    data = write_records(folder / "records.json", range(20))
    with signals_kept():
        assert main(train_words(tiny_folder, data, folder / "short.txt", folder / "run")) == 0
    return folder / "run"


@pytest.fixture
def run(trained, tmp_path):
    """A copy of that run."""
    return shutil.copytree(trained, tmp_path / "copy")


def test_a_finished_run_has_its_config_its_events_and_its_checkpoint(trained):
    run = open_run(trained)
    events, _ = run.training.read()
    names = [type(event).__name__ for event in events]
    assert (names[0], names[-1]) == ("Started", "Finished")
    assert names.count("Stepped") == 2
    assert run.state() is State.FINISHED
    assert run.last_checkpoint().name == "step-000002"
    assert run.config.options.learning_rate == 0.01


def test_other_models_than_the_starter_begin_with_the_book_preset(trained):
    config = open_run(trained).config.options
    assert (config.train_on, config.weight_decay, config.eval_steps) == ("all", 0.1, 5)


def test_paths_are_kept_in_full_so_that_a_run_means_the_same_from_anywhere(trained, tiny_folder):
    config = open_run(trained).config.options
    assert config.model == str(tiny_folder.resolve())
    assert config.data == str((trained.parent / "records.json").resolve())


def test_train_prints_its_folder_and_with_json_its_events(call, tiny_folder, data_file, template_file, tmp_path):
    assert call(*train_words(tiny_folder, data_file, template_file, tmp_path / "a")) == f"{tmp_path / 'a'}\n"
    lines = call(*train_words(tiny_folder, data_file, template_file, tmp_path / "b", "--json")).splitlines()
    assert [from_json(line) for line in lines] == Run(tmp_path / "b").training.read()[0]


def test_train_warns_of_an_ending_inside_outputs_on_stderr_and_in_the_log(capsys, tiny_folder, data_file, tmp_path):
    (tmp_path / "ending.txt").write_text("Q: {{instruction}}\nA:{{output}}0", encoding="utf-8")  # in 10 and 20
    assert main(train_words(tiny_folder, data_file, tmp_path / "ending.txt", tmp_path / "run")) == 0
    (warned,) = [event for event in Run(tmp_path / "run").training.read()[0] if isinstance(event, Warned)]
    assert warned.message.startswith("2 outputs contain the template's ending '0' (the first is row 9)")
    assert f"Warning: {warned.message}" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_losses(call, tiny_folder, data_file, template_file, tmp_path):
    def losses(name):
        call(*train_words(tiny_folder, data_file, template_file, tmp_path / name, "--seed", 7))
        return [getattr(event, "loss", None) for event in Run(tmp_path / name).training.read()[0]]

    assert losses("a") == losses("b")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--learning-rate", "2"], "learning_rate: 2.0 is above 1. Use a number above 0 and at most 1, such as 5e-5"),
        (["--num-train-epochs", "nan"], "num_train_epochs: nan is not a finite number"),
        (["--model", "gpt5"], "There is no model 'gpt5'"),
        (["--data", "absent.json"], "There is no data set"),
        (["--data", "x" * 5000], "There is no data set"),
        (["--train-on", "nothing"], "is not a set of roles"),
    ],
)
def test_an_input_error_is_told_before_a_folder_is_made(
    refuse, tiny_folder, data_file, template_file, tmp_path, words, line
):
    assert line in refuse(*train_words(tiny_folder, data_file, template_file, tmp_path / "run", *words))
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_not_empty_is_never_written_to(refuse, tiny_folder, data_file, template_file, tmp_path):
    before = sorted(tmp_path.iterdir())
    assert "not empty" in refuse(*train_words(tiny_folder, data_file, template_file, tmp_path))
    assert sorted(tmp_path.iterdir()) == before


def test_training_that_fails_exits_with_1_and_says_so_in_the_log(capsys, tmp_path, data_file, template_file):
    model = tiny_model()
    model.ln_f.bias.data.fill_(3e38)
    (tmp_path / "model").mkdir()
    folder = save_model(model, tmp_path / "model")
    assert main(train_words(folder, data_file, template_file, tmp_path / "run")) == 1
    assert "loss is not finite" in capsys.readouterr().err
    assert Run(tmp_path / "run").state() is State.FAILED


@pytest.fixture
def stopped(tiny_folder, data_file, template_file, tmp_path):
    """A run that somebody stopped after its first step, of two."""
    run = Run(tmp_path / "stopped")
    words = train_words(tiny_folder, data_file, template_file, run.path)
    asking = threading.Thread(target=lambda: (wait_for(run), run.ask_to_stop()))
    asking.start()
    assert main([*words, "--max-steps", "100000", "--eval-steps", "100000"]) == 3
    asking.join()
    return run


def wait_for(run):
    """Until its first step stands in the log."""
    while not any(isinstance(event, Stepped) for event in run.training.read()[0]):
        time.sleep(0.005)


def test_resume_goes_on_with_a_stopped_run(capsys, stopped):
    reached = stopped.training.read()[0][-1].step
    asking = threading.Thread(target=lambda: (wait_for_resumed(stopped), stopped.ask_to_stop()))
    asking.start()
    capsys.readouterr()
    assert main(["train", "--resume", str(stopped.path)]) == 3
    asking.join()
    assert "resumes from checkpoints/step-" in capsys.readouterr().err
    steps = [event.step for event in stopped.training.read()[0] if isinstance(event, Stepped)]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) > reached


def wait_for_resumed(run):
    """Until it has gone on by a step."""
    while not isinstance(run.training.read()[0][-1], Stepped):
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--learning-rate", "0.1"], "A run is resumed with the options it has (learning_rate)"),
        (["--preset", "book"], "A run is resumed with the options it has (preset)"),
        ([], "The run is finished"),
    ],
)
def test_what_resume_can_not_do_is_told_in_one_line(refuse, run, words, line):
    assert line in refuse("train", "--resume", run, *words)
    assert Run(run).state() is State.FINISHED


def test_resume_wants_a_run_and_nobody_else_in_it(refuse, tmp_path, stopped):
    assert "not a run folder" in refuse("train", "--resume", tmp_path)
    with stopped.writing():
        assert "Another process is working in this run" in refuse("train", "--resume", stopped.path)


def test_resume_wants_the_data_the_run_began_with(refuse, stopped, data_file):
    data_file.write_text(data_file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert "The data file has changed" in refuse("train", "--resume", stopped.path)
    assert stopped.state() is State.STOPPED


def test_train_makes_a_run_or_resumes_one(capsys, tmp_path):
    for words in ([], ["--out", "a", "--resume", "b"]):
        assert main(["train", *words]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_evaluate_prints_the_means_and_writes_every_row(call, run):
    shown = json.loads(call("evaluate", run, "--json", "--max-new-tokens", 2))
    assert shown["n"] == 2
    for side in ("before", "after"):
        assert shown[side].keys() >= {"exact_match", "token_f1", "rouge_l", "chrf"}
        assert len(Run(run).answers(side)) == 2
    assert json.loads(json.dumps(Run(run).scores.to_dict())) == shown
    assert Run(run).evaluation.state() is State.FINISHED


def test_evaluate_again_begins_anew(call, run):
    call("evaluate", run, "--max-new-tokens", 1)
    table = call("evaluate", run, "--sample", 1, "--max-new-tokens", 1)
    assert table.startswith("Never stops: ")
    assert "1 held-out record of 2, drawn with seed 0, greedy answers of up to 1 tokens" in table
    assert Run(run).scores.n == 1


def test_a_flipped_bit_in_a_checkpoint_is_told(refuse, run):
    path = Run(run).last_checkpoint() / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    line = refuse("evaluate", run, "--max-new-tokens", 1)
    assert "The checkpoint is broken" in line
    assert Run(run).evaluation.state() is State.FAILED


@pytest.mark.parametrize("words", [["--sample", "0"], ["--max-new-tokens", "0"]])
def test_evaluate_refuses_numbers_that_make_no_sense(refuse, run, words):
    assert "is below 1" in refuse("evaluate", run, *words)


def test_evaluate_wants_a_run(refuse, tmp_path):
    assert "not a run folder" in refuse("evaluate", tmp_path)


def test_evaluate_waits_for_nobody_who_writes_in_the_run(refuse, run):
    with Run(run).writing():
        assert "Another process is working in this run" in refuse("evaluate", run)
    with pytest.raises(RunError):
        open_run(run / "absent")


def test_generate_answers_with_the_runs_own_template(call, run, tiny_folder, tmp_path):
    words = ("generate", "--instruction", "After 3?", "--max-new-tokens", 3, "--json")
    of_run = json.loads(call(*words, "--model", run))
    (tmp_path / "same.txt").write_text("Q: {{instruction}}\nA:{{output}}", encoding="utf-8")
    checkpoint = Run(run).last_checkpoint()
    assert of_run == json.loads(call(*words, "--model", checkpoint, "--template", tmp_path / "same.txt"))
    assert len(of_run["ids"]) <= 3
    assert of_run["finish"] in ("eos", "length")


def test_generate_prints_the_answer_alone(call, run):
    words = ("generate", "--model", run, "--instruction", "After 3?", "--max-new-tokens", 3)
    assert call(*words) == json.loads(call(*words, "--json"))["model_response"] + "\n"


def test_the_starter_answers_without_a_network(call):
    shown = json.loads(
        call("generate", "--model", "starter", "--instruction", "Say hi.", "--max-new-tokens", 2, "--json")
    )
    assert 0 <= len(shown["ids"]) <= 2


def test_an_instruction_that_begins_with_hyphens_keeps_them(call, run):
    answers = []
    for instruction in ("--well-known words", "--well_known words"):
        words = ("generate", "--model", run, "--instruction", instruction, "--max-new-tokens", 8, "--json")
        answers.append(json.loads(call(*words))["ids"])
    assert answers[0] != answers[1]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--max-new-tokens", "0"], "max_new_tokens: 0 is below 1"),
        (["--temperature", "-1"], "temperature: -1.0 is below 0"),
        (["--top-k", "0"], "top_k: 0 is below 1"),
        (["--seed", "9" * 30], "is above 4294967295"),
        (["--instruction", "x " * 200], "no room for an answer"),
        (["--instruction", "half\udcff"], "lone surrogate"),
        (["--model", "x" * 5000], "There is no model"),
    ],
)
def test_what_generate_can_not_use_is_told_in_one_line(refuse, run, words, line):
    assert line in refuse("generate", "--model", run, "--instruction", "hi", *words)
