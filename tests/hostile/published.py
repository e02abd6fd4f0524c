"""What the page says of itself, as OpenAPI: one operation per handler, question and plain address.

Gradio's own `/gradio_api/openapi.json` lists the upload alone, as all handlers are private, and a public page does not
give it out. But the page's settings, which every visitor gets, name each handler with the schema of each of its inputs.
"""

import re
from collections.abc import Iterator

import schemathesis

API = "/gradio_api"
AT_WORK = frozenset({"_start", "_resume", "_measure", "_make", "_answer", "_answer_with", "begin_experiment"})
"""What starts a process, or downloads a model, where it is asked as it should be: other tests see to those."""
DOWNLOADED = frozenset({"book", "alpaca"})
SESSION = {"type": "string", "const": "SESSION"}
ANYTHING: dict = {}
STREAMS = (("upload_progress", "upload_id"), ("queue/data", "session_hash"))


def operations(config: dict) -> Iterator[tuple[str, object]]:
    """The name of each and schemathesis's view of it; its session is to be filled in."""
    for name, path, body in (*_handlers(config), *_questions(config)):
        yield name, _operation(path, {"application/json": {"schema": body}})
    for path in ("cancel", "reset"):
        fields = {"session_hash": SESSION, "fn_index": {"type": "integer"}, "event_id": {"type": "string"}}
        yield path, _operation(f"{API}/{path}", {"application/json": {"schema": _object(fields)}})
    files = {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}}
    yield "upload", _operation(f"{API}/upload", {"multipart/form-data": {"schema": _object(files)}})
    for path, name in (("heartbeat/{name}", "name"), ("file={name}", "name"), *STREAMS):
        where = "path" if name == "name" else "query"
        parameter = {"name": name, "in": where, "required": True, "schema": {"type": "string", "minLength": 1}}
        yield path, _operation(f"{API}/{path}", None, [parameter])


def _handlers(config: dict) -> Iterator[tuple[str, str, dict]]:
    """One of those that do the same."""
    widgets = {one["id"]: one for one in config["components"]}
    seen = set()
    for one in config["dependencies"]:
        name = re.sub(r"_\d+$", "", one["api_name"] or "")
        if not one["backend_fn"] or name in AT_WORK or (name, len(one["inputs"])) in seen:
            continue
        seen.add((name, len(one["inputs"])))
        data = _data([widgets[number] for number in one["inputs"]])
        fields = {"fn_index": {"const": one["id"]}, "session_hash": SESSION, "data": data, "event_data": ANYTHING}
        path = "queue/join" if one["queue"] else "run/predict"
        yield f"{name} {one['id']}", f"{API}/{path}", _object(fields, but=["event_data"])


def _data(inputs: list[dict]) -> dict:
    """What the page sends at its start, but for one value: with several, most would be refused for another one."""
    start = [{"const": widget.get("props", {}).get("value")} for widget in inputs]
    free = [[*start[:i], _input(widget), *start[i + 1 :]] for i, widget in enumerate(inputs)]
    array = {"type": "array", "minItems": len(inputs), "maxItems": len(inputs)}
    return {"anyOf": [array | {"prefixItems": values} for values in free]} if inputs else array


def _input(widget: dict) -> dict:
    """What it says that it takes, or something else that JSON can say."""
    schema = dict(widget.get("api_info_as_input") or ANYTHING)
    if schema.get("type") == {} or "$defs" in schema:  # anything; a file, whose schema has references within
        schema = ANYTHING
    if "enum" in schema:
        schema["enum"] = [one for one in schema["enum"] if one not in DOWNLOADED] or [""]
    return {"anyOf": [schema, schema, {"type": ["null", "string", "number", "object"]}]}


def _questions(config: dict) -> Iterator[tuple[str, str, dict]]:
    query = {"run": ANYTHING, "stamp": ANYTHING, "offset": ANYTHING, "template": {"type": "string"}, "row": ANYTHING}
    query |= {"t": ANYTHING, "record": ANYTHING, "written": ANYTHING, "options": ANYTHING, "runs": ANYTHING}
    data = {"anyOf": [{"type": "object", "properties": query}, ANYTHING]}
    for widget in config["components"]:
        for name in widget.get("props", {}).get("server_fns") or ():
            if name not in AT_WORK:
                fields = {"component_id": {"const": widget["id"]}, "fn_name": {"const": name}}
                yield name, f"{API}/component_server/", _object({**fields, "session_hash": SESSION, "data": data})


def _object(fields: dict, but: list[str] | None = None) -> dict:
    required = [name for name in fields if name not in (but or [])]
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


def _operation(path: str, content: dict | None, parameters: list[dict] | None = None) -> object:
    about = {"requestBody": {"required": True, "content": content}} if content else {"parameters": parameters}
    method = "post" if content else "get"
    operation = {**about, "responses": {"200": {"description": "an answer"}}}
    document = {"openapi": "3.1.0", "info": {"title": "page", "version": "1"}, "paths": {path: {method: operation}}}
    return schemathesis.openapi.from_dict(document)[path][method.upper()]
