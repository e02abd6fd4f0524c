"""The options of an evaluation as the page's menu shows and sends them; they are declared in `ift.evaluation`."""

import os
from collections.abc import Mapping

from ift.data.templates import PRESETS
from ift.errors import ConfigError, IftError
from ift.evaluation.evaluation_options import EvaluationOptions
from ift.evaluation.judge import RUBRIC
from ift.options import Option, options_of, show
from ift.runs.folder import Run, step_of
from ift.runs.state import State
from ift.types import Side

OPTIONS = options_of(EvaluationOptions)
LONG = frozenset({"judge_prompt"})
NAMED = frozenset({"checkpoint", "template"})
"""Chosen by name from what there is: a file of this server is nobody's template."""
HELP = {"judge_prompt": "What the judge is asked: {{answer}} has to be in it. Empty: the book's, which is shown."}
"""Where the page's is not the command line's: a file of this server is nobody's prompt."""
BOOLEAN = {"false": False, "true": True}
HINT = (
    "Without a judge everything else works. To have one, install Ollama (ollama.com), run “ollama pull llama3” and "
    "enter llama3 as judge. Any server that speaks OpenAI's protocol does, too: judge_api openai, its address, and its "
    "key in IFT_JUDGE_KEY in the environment of this page."
)
ADDRESS = "IFT_JUDGE_URL"
"""Of the environment: on a shared page the only address that is asked, and none is where it is not set."""
NO_JUDGE = f"This page offers no judge: whoever runs it can set {ADDRESS}."
_OWN_ADDRESS = frozenset({"judge_url"})
_JUDGE = frozenset(name for name in OPTIONS if name.startswith("judge"))


def form(run: Run, *, is_shared: bool) -> list[dict[str, object]]:
    """The menu's fields, as they were last: name, what it does, kind, choices and what an empty one means."""
    steps = tuple(str(step_of(folder)) for folder in run.checkpoints())
    hidden, last = hidden_options(is_shared=is_shared), again(run, is_shared=is_shared)
    return [_field(option, steps, getattr(last, name)) for name, option in OPTIONS.items() if name not in hidden]


def hint(*, is_shared: bool) -> str:
    """How to get a judge."""
    return (HINT if ADDRESS in os.environ else NO_JUDGE) if is_shared else HINT


def hidden_options(*, is_shared: bool) -> frozenset[str]:
    """What visitors of a shared page can't choose: the server would ask any address for them, with its own key."""
    if not is_shared:
        return frozenset()
    return _OWN_ADDRESS if ADDRESS in os.environ else _JUDGE


def _field(option: Option, steps: tuple[str, ...], value: object) -> dict[str, object]:
    choices = ("", *{"checkpoint": steps, "template": PRESETS}[option.name]) if option.name in NAMED else option.choices
    is_number = option.kind in (int, float)
    if option.kind is bool:
        choices = tuple(BOOLEAN)
    kind = "choice" if choices else "number" if is_number else "text"
    return {
        "name": option.name,
        "help": HELP.get(option.name) or option.describe(default="", lists_values=False),
        "kind": "long" if option.name in LONG else kind,
        "choices": list(choices),
        "value": show(value) if choices and value is not None else value,
        "unset": RUBRIC if option.name == "judge_prompt" else option.unset,
        "step": 1 if option.kind is int else "any",
    }


def read(values: object, *, is_shared: bool) -> EvaluationOptions:
    """What the menu sends, checked; what it does not name keeps its default.

    Raises:
        ConfigError: an option has a value outside its limits.
    """
    given = values if isinstance(values, Mapping) else {}
    hidden = hidden_options(is_shared=is_shared)
    found = {name: _value(OPTIONS[name], given[name]) for name in OPTIONS if name in given and name not in hidden}
    if is_shared and found.get("judge"):
        found["judge_url"] = os.environ[ADDRESS]
    if found.get("template") not in ("", None, *PRESETS):
        raise ConfigError("template: there is none of this name", fix=f"Use {', '.join(PRESETS)}, or leave it out.")
    prompt = found.get("judge_prompt")
    if prompt and "{{answer}}" not in str(prompt):  # else it would be the name of a file on this server
        raise ConfigError("judge_prompt: the answer to judge is not in it", fix="Put {{answer}} where it belongs.")
    return EvaluationOptions(**found)


def _value(option: Option, value: object) -> object:
    if option.kind is bool and isinstance(value, str):
        return BOOLEAN.get(value, value)
    if option.name == "checkpoint" and isinstance(value, str) and value.isdecimal():
        return int(value)
    return value


def again(run: Run, *, is_shared: bool) -> EvaluationOptions:
    """What was asked last, so that an evaluation that was stopped goes on; the defaults where nothing was.

    One that came to its end is made anew with the newest checkpoint.
    """
    try:
        plan = run.answer_files.plan
        if plan is None:
            return EvaluationOptions()
        step = plan.sides[Side.AFTER].model.removeprefix("step-")
        is_over = run.evaluation.state() is State.FINISHED
        return read({**plan.asked, "checkpoint": None if is_over else int(step)}, is_shared=is_shared)
    except (IftError, ValueError):
        return EvaluationOptions()  # damaged, or another version's: everything is asked again
