"""A prompt template in the languages of other programs: Jinja for Hugging Face and llama.cpp, Go's for Ollama.

A conversation becomes one row as in training: the last question is the instruction, with the turns before it in front.
A user's message may have an `input` beside its `content`, as the data set's records do.
"""

import json

from ift.data.templates import Part, Template
from ift.export.hf_tokenizer import EOS

_CONVERSATION = """\
{%- set row = namespace(system='', turns='', instruction='', input='') -%}
{%- for message in messages -%}
{%- if message['role'] == 'user' -%}
{%- set row.instruction = row.turns + ('User: ' if row.turns else '') + message['content'] -%}
{%- set row.input = message['input'] | default('') -%}
{%- set row.turns = row.turns + 'User: ' + message['content'] + '\\n\\n' -%}
{%- elif message['role'] == 'assistant' -%}
{%- set row.turns = row.turns + 'Assistant: ' + message['content'] + '\\n\\n' -%}
{%- else -%}
{%- set row.system = row.system + message['content'] + '\\n\\n' -%}
{%- endif -%}
{%- endfor -%}
{%- set row.instruction = row.system + row.instruction -%}
"""
"""What `ift.data.conversations` makes of a conversation of several turns."""
_ANSWER = """\
{%%- if messages[-1]['role'] == 'assistant' -%%}
%s{{- messages[-1]['content'] -}}%s%s
{%%- endif -%%}
"""
_FIELDS = {"instruction": "row.instruction", "input": "row.input"}


def jinja_template(template: Template, *, marks_answer: bool = True) -> str:
    """The Jinja text that pours a conversation into a prompt template.

    Args:
        template: the run's own.
        marks_answer: put `{% generation %}` around the answer, so that transformers can give its mask; programs that
            do not know the tag get a template without it.
    """
    marks = ("{%- generation -%}", "{%- endgeneration -%}") if marks_answer else ("", "")
    with_input, without = (_row(template, marks, has_input=has_input) for has_input in (True, False))
    choice = f"{{%- if row.input -%}}\n{with_input}{{%- else -%}}\n{without}{{%- endif -%}}\n"
    return _CONVERSATION + (with_input if with_input == without else choice)


def ollama_modelfile(template: Template, *, weights: str, n_positions: int) -> str:
    """The text of an Ollama `Modelfile`: the prompt template, what ends an answer, greedy decoding.

    Args:
        template: the run's own; the branch without an input, because Ollama knows none.
        weights: the name of the GGUF file beside it.
        n_positions: the model's context, in tokens.
    """
    parts = [part for part, _ in template.laid_out(has_input=False)]
    ending = "".join(part.text for part in _around_output(template, has_input=False)[1])
    stops = [EOS, *([ending] if ending.strip() else [])]
    return "\n".join(
        [
            f"FROM ./{weights}",
            f'TEMPLATE """{"".join(map(_go, parts))}"""',
            *(f"PARAMETER stop {_quoted(stop)}" for stop in stops),
            "PARAMETER temperature 0",
            f"PARAMETER num_ctx {n_positions}",
            "",
        ]
    )


def _row(template: Template, marks: tuple[str, str], *, has_input: bool) -> str:
    """The prompt, one expression per part, and the answer where the conversation ends with one."""
    before, after = _around_output(template, has_input=has_input)
    prompt = "".join(f"{{{{- {_FIELDS[p.text] if p.is_field else _quoted(p.text)} -}}}}\n" for p in before)
    ending = "".join(f"{{{{- {_quoted(text)} -}}}}" for text in (*(part.text for part in after), EOS))
    return prompt + _ANSWER % (marks[0], ending, marks[1])


def _around_output(template: Template, *, has_input: bool) -> tuple[list[Part], list[Part]]:
    parts = [part for part, _ in template.laid_out(has_input=has_input)]
    at = next(i for i, part in enumerate(parts) if part.is_field and part.text == "output")
    return parts[:at], parts[at + 1 :]


def _quoted(text: str) -> str:
    """A string literal; what JSON escapes, Jinja and Ollama read the same way."""
    return json.dumps(text, ensure_ascii=False)


def _go(part: Part) -> str:
    """A part in Go's template language, inside a Modelfile's three quotes."""
    if not part.is_field:
        return part.text.replace('"""', '{{ "\\"\\"\\"" }}')
    fields = {"instruction": "{{ if .System }}{{ .System }}\n\n{{ end }}{{ .Prompt }}", "output": "{{ .Response }}"}
    return fields.get(part.text, "")
