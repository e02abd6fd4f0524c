"""Layouts: how the fields of every-day data sets become instruction, input and output."""

import json

import pytest

from ift.data.records import RecordsError, parse_dataset
from ift.data_options import DataOptions
from ift.errors import ConfigError, DataError
from tests.data.files import parquet


def read(*rows, **options):
    raw = json.dumps(rows).encode()
    return parse_dataset(raw, name="x.json", options=DataOptions(**options))


def texts(dataset):
    return [(one.instruction, one.input, one.output) for one in dataset.examples]


def problems(*rows, **options):
    """(row, field, problem) of all that is wrong."""
    with pytest.raises(RecordsError) as caught:
        read(*rows, **options)
    return [tuple(one.to_dict().values()) for one in caught.value.dataset.reading.problems]


def said(role, content):
    return {"role": role, "content": content}


def turn(speaker, value):
    return {"from": speaker, "value": value}


ONE_TURN = [said("user", "Q"), said("assistant", "A")]
THREE = [said("system", "S"), *(said(role, f"{role[0]}{n}") for n in (1, 2, 3) for role in ("user", "assistant"))]
LAYOUTS = {
    "alpaca": {"instruction": "Q", "input": "I", "output": "A"},
    "dolly": {"instruction": "Q", "context": "I", "response": "A"},
    "question-answer": {"question": "Q", "context": "I", "answer": "A"},
    "prompt-completion": {"prompt": "Q", "completion": "A"},
    "messages": {"messages": ONE_TURN},
    "sharegpt": {"conversations": [turn("human", "Q"), turn("gpt", "A")]},
}
OTHER_FORMS = {
    "prompt and response": ({"prompt": "Q", "response": "A"}, "prompt-completion"),
    "TRL's prompt and completion of messages": (
        {"prompt": ONE_TURN[:1], "completion": ONE_TURN[1:]},
        "prompt-completion",
    ),
    "conversations of OpenAI's turns": ({"conversations": ONE_TURN}, "sharegpt"),
    "content in parts": (
        {
            "messages": [
                said("user", [{"type": "text", "text": "Q"}]),
                said("assistant", [{"type": "text", "text": "A"}]),
            ]
        },
        "messages",
    ),
    "speakers in capitals": ({"conversations": [turn("Human", "Q"), turn("ChatGPT", "A")]}, "sharegpt"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_recognized_shown_and_can_be_named(name):
    has_input = any(key in LAYOUTS[name] for key in ("input", "context"))
    for layout in ("auto", name):
        dataset = read(LAYOUTS[name], LAYOUTS[name], layout=layout)
        assert texts(dataset) == [("Q", "I" if has_input else "", "A")] * 2
        assert (dataset.reading.layout, dict(dataset.reading.unused), dataset.reading.problems) == (name, {}, ())


@pytest.mark.parametrize("name", LAYOUTS)
def test_parquet_has_the_same_layouts(name):
    dataset = parse_dataset(parquet([LAYOUTS[name]]), name="x")
    assert (texts(dataset)[0][0], dataset.reading.layout) == ("Q", name)


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_other_forms_of_a_layout_are_read(form):
    record, layout = OTHER_FORMS[form]
    dataset = read(record)
    assert (texts(dataset), dataset.reading.layout) == ([("Q", "", "A")], layout)


def test_fields_take_precedence_and_the_layout_gives_the_rest():
    record = {"instruction": "Q", "context": "I", "output": "A"}
    dataset = read(record, fields="input=context")
    assert texts(dataset) == [("Q", "I", "A")]
    assert dataset.reading.layout == "alpaca"


def test_fields_alone_are_a_layout():
    record = {"task": "Q", "source text": "I", "label": 1}
    dataset = read(record, fields="instruction=task,input=source text,output=label")
    assert texts(dataset) == [("Q", "I", "1")]
    assert dict(dataset.reading.fields) == {"instruction": "task", "input": "source text", "output": "label"}


def test_a_field_that_became_the_instruction_is_not_the_input_too():
    assert texts(read({"input": "Q", "output": "A"}, fields="instruction=input,output=output")) == [("Q", "", "A")]


def test_a_system_text_goes_in_front_of_the_instruction():
    assert texts(read({"messages": [said("system", "S"), *ONE_TURN]})) == [("S\n\nQ", "", "A")]
    record = {"system_prompt": "S", "instruction": "Q", "output": "A"}
    assert texts(read(record, fields="system=system_prompt")) == [("S\n\nQ", "", "A")]
    assert texts(read({**record, "system_prompt": None}, fields="system=system_prompt")) == [("Q", "", "A")]


def test_of_several_turns_the_last_is_learned_with_all_before_it():
    dataset = read({"messages": THREE})
    before = "S\n\nUser: u1\n\nAssistant: a1\n\nUser: u2\n\nAssistant: a2\n\nUser: u3"
    assert texts(dataset) == [(before, "", "a3")]
    assert dataset.reading.conversations == {"several": 1, "in_front": 4, "left_out": 0}
    assert "4 earlier turns are part of instructions" in dataset.reading.notes()[0]


def test_of_several_turns_the_first_or_each_can_be_learned():
    dataset = read({"messages": THREE}, turns="first")
    assert texts(dataset) == [("S\n\nu1", "", "a1")]
    assert "4 later turns are not used" in dataset.reading.notes()[0]
    each = texts(read({"messages": THREE}, turns="each"))
    assert [output for _, _, output in each] == ["a1", "a2", "a3"]
    assert each[1][0] == "S\n\nUser: u1\n\nAssistant: a1\n\nUser: u2"


WRONG_TURNS = {
    "no turn": ([], "has no turn: there is no answer"),
    "no answer": ([said("user", "Q")], "ends with the user's turn: there is no answer"),
    "the assistant begins": ([said("assistant", "A"), *ONE_TURN], "Turn 1 is the assistant's, where the user's is due"),
    "two questions": ([said("user", "Q"), *ONE_TURN], "Turn 2 is the user's, where the assistant's is due"),
    "a late system text": ([*ONE_TURN, said("system", "S")], "Turn 3 is a system text after the first turn"),
    "a tool": ([said("user", "Q"), said("tool", "T")], "Turn 2 is by 'tool'"),
    "no role": ([{"content": "Q"}, ONE_TURN[1]], "Turn 1 has no 'role'"),
    "a role that is no text": ([said(7, "Q"), ONE_TURN[1]], "Turn 1 is by '7'"),
    "no content": ([said("user", "Q"), said("assistant", None)], "'turn 2' is null, not text"),
    "an image": ([said("user", [{"type": "image"}]), ONE_TURN[1]], "Turn 1 has parts that are not text"),
    "a text for a turn": (["Q", "A"], "Turn 1 is text, not an object"),
    "a text for turns": ("Q", "'messages' is text, not a list of turns"),
    "half a character": ([said("user", "\ud800"), ONE_TURN[1]], "'turn 1' holds half a character"),
}


@pytest.mark.parametrize("name", WRONG_TURNS)
def test_a_conversation_that_can_not_be_used_says_why(name):
    turns, what = WRONG_TURNS[name]
    ((row, field, problem),) = problems({"messages": ONE_TURN}, {"messages": turns})
    assert (row, field) == (1, "messages")
    assert what in problem


@pytest.mark.parametrize(
    ("field", "meaning"),
    [
        ("context", "input"),
        ("Input", "input"),
        ("inputs", "input"),
        ("input ", "input"),
        ("system", "system"),
        ("id", ""),
    ],
)
def test_a_field_that_is_not_used_is_counted_with_what_it_may_be(field, meaning):
    good, without = {"instruction": "Q", "output": "A"}, {"instruction": "Q", "output": "A", field: ""}
    reading = read({**good, field: "x"}, good, without, {**good, field: "y"}).reading
    assert reading.unused == {field: 2}
    assert reading.likely == ({field: meaning} if meaning else {})
    (note,) = reading.notes()
    assert note.startswith(f"Not used: {field} in 2 records")
    assert (f"--fields {meaning}={field}" in note) == bool(meaning)


def test_what_a_turn_has_besides_its_text_is_counted():
    weighted = [ONE_TURN[0], {**ONE_TURN[1], "weight": 0, "name": None}]
    assert read({"messages": weighted}).reading.unused == {"messages.weight": 1}


def test_a_key_beside_the_list_of_records_is_not_passed_over_in_silence():
    raw = json.dumps({"version": "1.1", "data": [LAYOUTS["alpaca"]]}).encode()
    assert parse_dataset(raw, name="x").reading.unused == {"version": 1}


@pytest.mark.parametrize(
    ("record", "mapping"),
    [
        ({"query": "Q", "answer": "A"}, "instruction=query,output=answer"),
        ({"input": "Q", "output": "A"}, "instruction=input,output=output"),
        ({"Instruction": "Q", "Input": "I", "Output": "A"}, "instruction=Instruction,output=Output,input=Input"),
        ({"x": "Q", "y": "A"}, "instruction=question,output=answer"),
    ],
)
def test_a_layout_that_nobody_knows_is_refused_with_the_way_out(record, mapping):
    with pytest.raises(DataError) as caught:
        read(record, record)
    assert f"{next(iter(record))!r} in 2" in caught.value.what
    assert f"--fields {mapping}, or" in caught.value.fix
    if "x" not in record:
        assert texts(read(record, fields=mapping))[0][2] == "A"


def test_the_layout_of_most_records_is_taken_and_the_others_are_problems():
    rows = [LAYOUTS["dolly"], LAYOUTS["dolly"], LAYOUTS["alpaca"]]
    assert [(row, field) for row, field, _ in problems(*rows)] == [(2, "response")]
    dataset = read(*rows, on_error="drop")
    assert (len(dataset), dataset.reading.dropped, dataset.reading.rows) == (2, 1, 3)
    assert dataset.reading.notes()[-1] == "Left out: 1 of 3 rows, which can't be used."


def test_every_problem_of_every_row_is_listed():
    rows = [
        {"instruction": None, "output": ["a"]},
        LAYOUTS["alpaca"],
        {"instruction": "Q"},
        "text",
        {"instruction": "Q", "output": "A", "split": "dev", "check": {}},
    ]
    assert problems(*rows) == [
        (0, "instruction", "'instruction' is null, not text"),
        (0, "output", "'output' is a list, not text"),
        (2, "output", "A record has no 'output'"),
        (3, None, "A record is text, not an object"),
        (4, "split", "'dev' is not a part of the data"),
        (4, "check", "The check of an open-ended task has no list of words"),
    ]
    assert texts(read(*rows, on_error="drop")) == [("Q", "I", "A")]


def test_the_refusal_of_several_rows_counts_them():
    with pytest.raises(RecordsError) as caught:
        read(*[{"instruction": "Q", "output": None}] * 3, LAYOUTS["alpaca"])
    assert caught.value.what == "'output' is null, not text; 2 more rows have problems"
    assert "--on_error drop" in caught.value.fix


def test_a_file_of_problems_only_is_refused_even_where_they_are_left_out():
    assert len(problems({"instruction": None, "output": "A"}, on_error="drop")) == 1


def test_broken_lines_are_problems_with_their_line():
    good = json.dumps(LAYOUTS["alpaca"])
    raw = f"{good}\n{good[:-5]}\n\n{good} x\n{good}".encode()
    dataset = parse_dataset(raw, name="x", options=DataOptions(on_error="drop"))
    assert [(one.row, one.line) for one in dataset.reading.problems] == [(1, 2), (3, 4)]
    assert len(dataset) == 3


def test_cells_that_do_not_fit_the_first_line_are_problems():
    raw = b"instruction,output\na,b\na\na,b,c\na,b\n"
    dataset = parse_dataset(raw, name="x", options=DataOptions(on_error="drop"))
    assert [one.problem for one in dataset.reading.problems] == [
        "The row has 1 cells, the first line 2",
        "The row has 3 cells, the first line 2",
    ]
    assert [one.line for one in dataset.reading.problems] == [3, 4]


def test_a_field_that_is_there_twice_is_a_problem():
    raw = b'[{"instruction": "Q", "output": "A", "output": "B"}]'
    with pytest.raises(RecordsError, match="The record has 'output' twice"):
        parse_dataset(raw, name="x")


def test_a_field_beyond_every_context_is_a_problem():
    ((_, field, problem),) = problems(LAYOUTS["alpaca"], {"instruction": "Q", "output": "a" * 1_000_001})
    assert (field, problem) == ("output", "'output' has 1,000,001 characters, more than 1,000,000")


def test_an_empty_cell_of_a_table_names_no_split():
    raw = b"instruction,output,split,task\na,b,test,sums\na,b,,\n"
    assert [(one.split, one.task) for one in parse_dataset(raw, name="x").examples] == [("test", "sums"), (None, None)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layout", "vicuna"),
        ("turns", "all"),
        ("on_error", "skip"),
        ("fields", "instruction"),
        ("fields", "question=instruction"),
        ("fields", "instruction="),
        ("fields", "output=a,output=b"),
    ],
)
def test_options_that_make_no_sense_are_named(name, value):
    with pytest.raises(ConfigError) as caught:
        DataOptions(**{name: value})
    assert caught.value.what.startswith(f"{name}: ")


def test_each_half_of_a_prompt_and_its_completion_is_checked():
    good = LAYOUTS["prompt-completion"]
    assert [(row, field) for row, field, _ in problems(good, {"prompt": None, "completion": []})] == [
        (1, "prompt"),
        (1, "completion"),
    ]


HISTORY = {
    "instruction": "And 2 + 2?",
    "input": "Briefly.",
    "output": "4",
    "history": [["1 + 1?", "2"], ["Sure?", "Yes."]],
}


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (
            "last",
            [("User: 1 + 1?\n\nAssistant: 2\n\nUser: Sure?\n\nAssistant: Yes.\n\nUser: And 2 + 2?", "Briefly.", "4")],
        ),
        ("first", [("1 + 1?", "", "2")]),
        (
            "each",
            [
                ("1 + 1?", "", "2"),
                ("User: 1 + 1?\n\nAssistant: 2\n\nUser: Sure?", "", "Yes."),
                (
                    "User: 1 + 1?\n\nAssistant: 2\n\nUser: Sure?\n\nAssistant: Yes.\n\nUser: And 2 + 2?",
                    "Briefly.",
                    "4",
                ),
            ],
        ),
    ],
)
def test_llama_factorys_history_is_earlier_turns(turns, expected):
    rows = [HISTORY, {**HISTORY, "history": []}, {**HISTORY, "history": None}]
    dataset = parse_dataset(json.dumps(rows).encode(), name="x.json", options=DataOptions(turns=turns))
    found = [(one.instruction, one.input, one.output) for one in dataset.examples]
    assert found == [*expected, *[("And 2 + 2?", "Briefly.", "4")] * 2]
    assert dataset.reading.unused == {}
    assert dataset.reading.conversations["several"] == 1


def test_a_history_that_is_text_is_not_used_and_that_is_said():
    assert read({**HISTORY, "history": "none before"}, {**HISTORY, "history": ""}).reading.unused == {"history": 1}


@pytest.mark.parametrize("history", [[["only a question"]], [["q", None]], {"q": "a"}, [["q", "a", "b"]]])
def test_a_history_that_is_none_is_refused_with_its_field(history):
    with pytest.raises(RecordsError) as caught:
        parse_dataset(json.dumps([{**HISTORY, "history": history}]).encode(), name="x.json")
    assert [problem.field for problem in caught.value.dataset.reading.problems] == ["history"]
