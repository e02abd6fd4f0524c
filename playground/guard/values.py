"""Whether the values of a request are such as the page's widgets give: Gradio logs a traceback where they are not."""

from pathlib import PurePath
from typing import Any

import gradio as gr

from playground.guard.refusals import NOT_THERE, Refused

CHECKED = (gr.Number, gr.Textbox, gr.Checkbox, gr.Radio, gr.Dropdown, gr.Code)
FILLED = (gr.Textbox, gr.Checkbox, gr.Radio, gr.Code)
"""Never without a value, unless they begin without one."""
UPLOADED = {"_type": "gradio.FileData"}
"""What Gradio demands of a file's `meta`."""


def check_event(page: gr.Blocks, body: dict[str, Any]) -> None:
    """An event's values, one per input of its handler.

    Raises:
        Refused: there is no such event, or one of its values is none of its widget's.
    """
    number, data = body.get("fn_index"), body.get("data")
    handler = page.fns.get(number) if type(number) is int else None
    if handler is None:
        raise Refused(404, NOT_THERE)
    if not isinstance(data, list) or len(data) != len(handler.inputs):
        raise Refused(422, "The request has not as many values as there are widgets.")
    session = page.state_holder.session_data.get(body["session_hash"])
    widgets = session.blocks_config.blocks if session else page.blocks
    for widget, value in zip(handler.inputs, data, strict=True):
        if value is None and isinstance(widget, FILLED) and widget.value is not None:
            raise _refused(widget)  # the session's own widget forgets its value when it is changed otherwise
        _check(widgets.get(widget._id, widget), value)


def _check(widget: gr.components.Component, value: Any) -> None:  # noqa: ANN401  it comes from the browser
    if value is None:
        is_right = not isinstance(widget, gr.UploadButton)
    elif isinstance(widget, gr.File | gr.UploadButton):
        _check_kind(widget, value)
        is_right = isinstance(value, dict) and value.get("meta") == UPLOADED and isinstance(value.get("path"), str)
    else:
        is_right = not isinstance(widget, CHECKED) or _is_its_own(widget, value)
    if not is_right:
        raise _refused(widget)


def _refused(widget: gr.components.Component) -> Refused:
    return Refused(422, f"{getattr(widget, 'label', None) or 'A widget'}: this value can't be used.")


def _is_its_own(widget: gr.components.Component, value: Any) -> bool:  # noqa: ANN401
    kinds = (bool,) if isinstance(widget, gr.Checkbox) else (int, float) if isinstance(widget, gr.Number) else (str,)
    if type(value) not in kinds:
        return False
    try:
        widget.preprocess(value)
    except Exception:  # Gradio's own, or whatever else a widget trips over
        return False
    return True


def _check_kind(widget: gr.File | gr.UploadButton, value: Any) -> None:  # noqa: ANN401
    """A file of a kind that the widget offers; whose it is was looked at before."""
    path = value.get("path", "") if isinstance(value, dict) else ""
    if widget.file_types and PurePath(path).suffix.lower() not in widget.file_types:
        raise Refused(422, f"This kind of file can't be used: choose {', '.join(widget.file_types)}.")


def check_question(page: gr.Blocks, body: dict[str, Any]) -> None:
    """A question to a component's own functions on the server.

    Raises:
        Refused: there is no such component or function.
    """
    number, name = body.get("component_id"), body.get("fn_name")
    widget = page.blocks.get(number) if type(number) is int else None
    function = getattr(widget, name, None) if isinstance(name, str) and name.isidentifier() else None
    if not getattr(function, "_is_server_fn", False) or "data" not in body:
        raise Refused(404, NOT_THERE)
