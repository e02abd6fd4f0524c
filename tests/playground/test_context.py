"""What the page's parts share: settings, the visitor's values, what is kept in memory, and what a browser may ask."""

import math
import os
import shutil
from dataclasses import fields

import pytest

from ift.config import TrainConfig
from ift.data.templates import PRESETS, preset_source
from ift.errors import ConfigError, DataError, IftError, ModelError
from ift.events import Answered, Failed, Finished, Saved, Stopped, Warned
from ift.masks import TRAIN_ON, parse_trained
from ift.roles import Role
from ift.runs.folder import create_run
from ift.training.checkpoint import save_checkpoint
from ift.types import Side
from playground import caches
from playground.caches import MODELS_KEPT, Linters, Models
from playground.context import Context, train_on, whole
from playground.lens.state import preset_of
from playground.runs import polls
from playground.settings import Limits, Mode, Settings, amount, read_settings
from playground.visitors import Visitor, acting_as, new_key
from tests.helpers import run_config, save_model, tiny_model, write_records


@pytest.fixture
def context(tmp_path):
    return Context(Settings(home=tmp_path))


@pytest.fixture
def public(tmp_path):
    return Context(Settings(home=tmp_path, mode=Mode.PUBLIC))


def finished(tmp_path, name="a"):
    """A finished run of the server's."""
    run = create_run(tmp_path / "runs" / name, run_config())
    run.training.append(Finished(step=1))
    return run


# Settings.


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Set the page's own variables; none is set before."""
    for name in ("IFT_HOME", "IFT_MODE", "IFT_TEACHER_KEY", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch.setenv


@pytest.mark.parametrize(
    ("host", "mode"),
    [
        ("127.0.0.1", Mode.LOCAL),
        ("localhost", Mode.LOCAL),
        ("::1", Mode.LOCAL),
        ("0.0.0.0", Mode.PUBLIC),
        ("192.168.1.7", Mode.PUBLIC),
    ],
)
def test_a_page_that_others_can_reach_is_public(environment, host, mode):
    assert read_settings(host).mode is mode


def test_a_space_is_public_whatever_its_host(environment):
    environment("SPACE_ID", "somebody/ift")
    assert read_settings("127.0.0.1").mode is Mode.PUBLIC


def test_the_option_has_the_last_word_on_the_mode_and_then_the_environment(environment):
    environment("IFT_MODE", "classroom")
    assert read_settings("0.0.0.0").mode is Mode.CLASSROOM
    assert read_settings("0.0.0.0", "local").mode is Mode.LOCAL


def test_an_unknown_mode_and_a_teachers_key_that_could_be_guessed_are_refused(environment):
    with pytest.raises(ConfigError, match="no mode 'open'"):
        read_settings("localhost", "open")
    environment("IFT_TEACHER_KEY", "secret")
    with pytest.raises(ConfigError, match="could be guessed"):
        read_settings("localhost")


def test_a_local_page_has_no_limits_but_sizes_a_machine_can_take(tmp_path):
    limits = Settings(home=tmp_path).limits
    limits.require("steps", 10**9)
    assert list(limits.describe()) == ["an uploaded file", "a request", "trainings at once"]


@pytest.mark.parametrize("mode", [Mode.CLASSROOM, Mode.PUBLIC])
def test_each_refusal_names_its_limit_and_how_to_run_without_it(tmp_path, mode):
    limits = Settings(home=tmp_path, mode=mode).limits
    for one in fields(limits):
        most = getattr(limits, one.name)
        if most < math.inf:
            limits.require(one.name, most)
            with pytest.raises(ConfigError, match=one.metadata["what"]) as caught:
                limits.require(one.name, most + 1)
            assert "python app.py" in caught.value.fix
    with pytest.raises(ConfigError):
        limits.require("steps", math.nan)


def test_a_classroom_is_wider_than_a_public_page():
    for one in fields(Limits):
        assert one.metadata["classroom"] >= one.metadata["public"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5_000, "", "5,000"),
        (10 * 2**20, "bytes", "10 MB"),
        (30, "seconds", "30 seconds"),
        (7_200, "seconds", "2 hours"),
    ],
)
def test_limits_are_written_as_people_say_them(value, unit, text):
    assert amount(value, unit) == text


def test_runs_are_kept_in_the_working_folder_unless_ift_home_names_another(environment, tmp_path):
    assert read_settings("localhost").runs == tmp_path / "runs"
    environment("IFT_HOME", "other")
    settings = read_settings("localhost")
    assert (settings.runs, settings.uploads) == (tmp_path / "other" / "runs", tmp_path / "other" / "uploads")


# The switches and the numbers.


@pytest.mark.parametrize(
    ("switches", "option"),
    [
        (("response", True, False), "response"),
        (("all", True, False), "all"),
        (("response", False, False), "response,"),  # the role alone, not the mask of that name
        (("response", True, True), "response,eos,pad"),
        (("response-and-header", False, True), "header,response,pad"),
    ],
)
def test_the_switches_are_an_option_of_the_command_line_with_the_same_roles(switches, option):
    mask, keep_eos, train_padding = switches
    wanted = TRAIN_ON[mask] - ({Role.EOS} if not keep_eos else set()) | ({Role.PAD} if train_padding else set())
    made = train_on(*switches)
    assert parse_trained(made) == wanted
    assert made == option


@pytest.mark.parametrize(("value", "number"), [(3, 3), (3.0, 3), (0, 0), (-1.0, -1)])
def test_a_whole_number_may_come_as_a_float(value, number):
    made = whole("seed", value)
    assert (made, type(made)) == (number, int)


@pytest.mark.parametrize("value", [None, 2.5, math.nan, math.inf, -math.inf])
def test_what_is_no_whole_number_is_told_by_its_fields_name(value):
    with pytest.raises(ConfigError, match="seed is") as caught:
        whole("seed", value)
    assert caught.value.where == "seed"


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_text_is_known_and_any_other_is_not(name):
    assert preset_of(preset_source(name)) == name
    assert preset_of(preset_source(name) + " ") is None


@pytest.mark.parametrize(("wanted", "limit"), [(0, 64), (8, 8), (64, 64), (65, 64), (10**9, 64)])
def test_rows_are_limited_by_the_visitor_but_never_beyond_the_models_context(context, tiny_folder, wanted, limit):
    assert context.limit(str(tiny_folder), wanted) == limit


@pytest.mark.parametrize("wanted", [None, 1.5, -1])
def test_a_limit_that_is_none_is_an_error_about_max_length(context, tiny_folder, wanted):
    with pytest.raises(ConfigError, match="max_length is"):
        context.limit(str(tiny_folder), wanted)


# Models.


@pytest.mark.parametrize("name", ["starter", "gpt2"])
def test_the_known_models_are_offered_to_all(context, public, name):
    assert context.model(name) == public.model(f" {name} ") == name


def test_a_model_too_large_for_a_public_page_is_refused_there(context, public):
    assert context.model("gpt2-xl") == "gpt2-xl"
    with pytest.raises(ConfigError, match="parameters of a model"):
        public.model("gpt2-xl")


@pytest.mark.parametrize("name", [None, ""])
def test_no_name_is_the_starter(context, name):
    assert context.model(name) == "starter"


def test_ones_own_run_is_a_model_by_its_name(context, public, tmp_path):
    run = finished(tmp_path)
    assert context.model("a") == str(run.path)
    with acting_as(Visitor(new_key())):
        public.ownership.claim(run)
        assert public.model("a") == str(run.path)
    with acting_as(Visitor(new_key())), pytest.raises(ConfigError, match="not offered"):
        public.model("a")


def test_strangers_can_name_no_path_and_no_hub_id(public, tiny_folder, tmp_path):
    path = finished(tmp_path).path
    for name in (str(tiny_folder), "somebody/model", str(path), "runs/a", "../a", "gpt2-xxl"):
        with pytest.raises(ConfigError, match="not offered on this page") as caught:
            public.model(name)
        assert "starter, gpt2" in caught.value.fix


def test_a_public_page_takes_no_large_data_set_and_no_long_training(context, public):
    for what, limit in {"num_train_epochs": 1, "max_steps": 301}.items():
        config = TrainConfig(**{what: limit}, per_device_train_batch_size=1)
        context.require_training(config, rows=1_000, tokens_per_row=50)
        with pytest.raises(ConfigError, match="steps of a training"):
            public.require_training(config, rows=1_000, tokens_per_row=50)
    with pytest.raises(ConfigError, match="tokens of a training"):
        public.require_training(
            TrainConfig(per_device_train_batch_size=64, max_steps=300), rows=5_000, tokens_per_row=400
        )
    public.require_training(TrainConfig(), rows=1_000, tokens_per_row=50)
    context.require_data("alpaca")
    public.require_data("book")
    with pytest.raises(ConfigError, match="rows of a data set"):
        public.require_data("alpaca")


def test_at_home_a_folder_is_named_in_full_and_a_hub_id_stays(context, tiny_folder, monkeypatch):
    monkeypatch.chdir(tiny_folder.parent)
    assert context.model(tiny_folder.name) == str(tiny_folder.resolve())
    assert context.model("somebody/model") == "somebody/model"


@pytest.mark.parametrize("name", ["nothing", "x" * 5000, "a\0b", "\ud800"])
def test_a_name_that_is_no_model_is_an_input_error_when_it_is_used(context, name):
    with pytest.raises(ModelError, match="There is no model"):
        context.limit(name, 0)


def test_two_models_are_kept_and_the_one_not_asked_for_longest_goes(tiny_folder, tmp_path):
    a, b, c = (str(shutil.copytree(tiny_folder, tmp_path / name)) for name in "abc")
    models = Models()
    first, second = models.get(a), models.get(b)
    assert models.get(a) is first
    models.get(c)
    assert MODELS_KEPT == 2
    assert models.get(a) is first
    assert models.get(b) is not second


def test_a_folder_whose_model_was_replaced_is_read_again(tmp_path):
    models, folder = Models(), tmp_path / "m"
    folder.mkdir()
    old = models.get(str(save_model(tiny_model(seed=1), folder)))
    save_model(tiny_model(seed=2), folder)
    os.utime(folder / "config.json", ns=(1, 1))
    assert models.get(str(folder)).wte.weight[0, 0] != old.wte.weight[0, 0]


def test_a_run_that_has_gone_on_is_read_again(run):
    run.training.append(Stopped(step=3, reason="x"))
    models = Models()
    old = models.get(str(run.path))
    assert models.get(str(run.path)) is old
    save_checkpoint(run.path / "checkpoints", tiny_model(), step=9)
    assert models.get(str(run.path)) is not old


def test_a_model_that_can_not_be_read_is_an_error_and_is_not_kept(tiny_folder, tmp_path):
    folder, models = tmp_path / "m", Models()
    with pytest.raises(IftError):
        models.get(str(folder))
    shutil.copytree(tiny_folder, folder)
    assert models.get(str(folder)).config.n_positions == 64


# Data sets.

SOURCE = "Q: {{instruction}}\nA:{{output}}"


def report(name, source=SOURCE, *, max_length=64, linters=None):
    linters = linters or Linters()
    return linters.data_report(str(name), source, trained=TRAIN_ON["response"], max_length=max_length)


def test_a_second_look_at_the_same_template_lints_nothing_again(data_file):
    linters = Linters()
    assert report(data_file, linters=linters).lint is report(data_file, linters=linters, max_length=5).lint


def test_another_template_or_limit_is_another_report(data_file):
    first = report(data_file)
    assert report(data_file, max_length=5).rows_of("row-cut") != first.rows_of("row-cut")
    assert report(data_file, "More " + SOURCE).lengths[0] == first.lengths[0] + 1


def test_a_file_that_has_changed_is_read_again(data_file):
    name = str(data_file)
    assert (len(caches.dataset(name)), len(report(name).lengths)) == (20, 20)
    write_records(data_file, range(7))
    os.utime(data_file, ns=(1, 1))
    assert (len(caches.dataset(name)), len(report(name).lengths)) == (7, 7)


def test_a_file_that_is_gone_is_an_error_though_it_was_read_before(data_file):
    caches.dataset(str(data_file))
    data_file.unlink()
    with pytest.raises(DataError, match="There is no data set"):
        caches.dataset(str(data_file))


def test_the_tokens_of_a_row_are_estimated_from_some_rows_of_the_whole_file(data_file):
    assert caches.tokens_per_row(str(data_file), SOURCE) == pytest.approx(report(data_file).lengths.mean())
    write_records(data_file, range(1000))
    os.utime(data_file, ns=(2, 2))
    assert caches.tokens_per_row(str(data_file), SOURCE) == pytest.approx(report(data_file).lengths.mean(), rel=0.05)


# Polls.

UNKNOWN = {"state": "unknown", "offset": 0, "over": True, "busy": None}


@pytest.mark.parametrize("made", [polls.training, polls.evaluation])
@pytest.mark.parametrize(
    "query", [None, "a", 5, ["a"], {}, {"run": None}, {"run": ["a"]}, {"run": {}}, {"run": "../runs/a"}, {"run": "b"}]
)
def test_a_query_that_names_no_run_is_answered_with_unknown(context, tmp_path, made, query):
    finished(tmp_path)
    assert made(context)(query) == UNKNOWN


def test_a_browser_reads_on_from_its_cursor(context, tmp_path):
    run, ask = finished(tmp_path), polls.training(context)
    first = ask({"run": "a", "offset": 0})
    assert (first["state"], first["offset"], first["warnings"]) == ("finished", run.training.path.stat().st_size, [])
    run.training.append(Warned(step=1, message="mind"))
    assert ask({"run": "a", "offset": first["offset"]})["warnings"] == ["mind"]


@pytest.mark.parametrize("offset", [-1, "9", None, 1.5, [0], 1 << 61, 1 << 45, 10**30])
def test_a_cursor_that_is_none_reads_from_the_beginning(context, tmp_path, offset):
    run = finished(tmp_path)
    reply = polls.training(context)({"run": "a", "offset": offset})
    assert (reply["state"], reply["offset"]) == ("finished", run.training.path.stat().st_size)


def test_a_cursor_from_inside_a_line_or_a_character_is_answered_with_an_error(context, tmp_path):
    run, ask = create_run(tmp_path / "runs" / "a", run_config()), polls.training(context)
    run.training.append(Warned(step=0, message="größer"))
    run.training.append(Finished(step=1))
    inside = run.training.path.read_bytes().index("ö".encode()) + 1
    for offset in (1, inside):
        reply = ask({"run": "a", "offset": offset})
        assert (reply["offset"], reply["state"]) == (offset, "failed")
        assert reply["error"]["what"] == "The run can't be read"


def test_a_damaged_log_is_told_whatever_the_cursor(context, tmp_path):
    run, ask = finished(tmp_path), polls.training(context)
    offset = run.training.path.stat().st_size
    with run.training.path.open("a", encoding="utf-8") as file:
        file.write("rubbish\n")
    for cursor in (0, offset):
        assert ask({"run": "a", "offset": cursor})["error"]["what"] == "The run can't be read"


def asked_twice(context):
    """What the browser is told of run `a`, and what when it asks again from there."""
    ask = polls.training(context)
    first = ask({"run": "a", "offset": 0})
    return first, ask({"run": "a", "offset": first["offset"]})


def test_a_stopped_run_is_not_called_killed_when_the_browser_asks_again(context, tmp_path):
    run = create_run(tmp_path / "runs" / "a", run_config())
    for event in (Saved(step=4, path="checkpoints/x"), Stopped(step=4, reason="asked to stop")):
        run.training.append(event)
    assert [reply["end"] for reply in asked_twice(context)] == ["Stopped at step 4: asked to stop."] * 2


def test_a_killed_run_is_called_killed_each_time(context, tmp_path):
    create_run(tmp_path / "runs" / "a", run_config()).training.append(Saved(step=4, path="checkpoints/x"))
    assert ["it was killed" in reply["end"] for reply in asked_twice(context)] == [True, True]


def test_a_failed_runs_error_stays_when_the_browser_asks_again(context, tmp_path):
    run = create_run(tmp_path / "runs" / "a", run_config())
    run.training.append(Failed(step=4, what="Memory ran out", fix="Halve it."))
    errors = [reply["error"] for reply in asked_twice(context)]
    assert errors == [{"what": "Memory ran out", "where": "", "fix": "Halve it."}] * 2


def test_the_progress_of_the_answers_is_told_from_their_own_log(context, tmp_path):
    run, ask = finished(tmp_path), polls.evaluation(context)
    assert ask({"run": "a"})["state"] == "absent"
    run.evaluation.append(Answered(step=2, side=Side.AFTER, done=2, total=3))
    run.evaluation.append(Finished(step=3))
    reply = ask({"run": "a", "offset": 10**6})
    assert (reply["side"], reply["done"], reply["total"], reply["state"]) == ("after", 2, 3, "finished")


def test_a_damaged_log_of_answers_has_failed(context, tmp_path):
    finished(tmp_path).evaluation.path.write_text("rubbish\n", encoding="utf-8")
    reply = polls.evaluation(context)({"run": "a"})
    assert (reply["state"], reply["error"]["what"]) == ("failed", "The answers can't be read")
