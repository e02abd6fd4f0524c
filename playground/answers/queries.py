"""What the browser asks about a run's answers: rows of the table, one record, and files to take away.

Each is a plain function made for one server, as Gradio marks what it exposes with an attribute. Queries come from the
browser, so they may be anything.
"""

from collections.abc import Callable

from ift.errors import RunError
from ift.evaluation.reports.answer_tables import to_csv, to_json, to_markdown
from ift.evaluation.reports.run_report import report
from ift.runs.folder import Run
from ift.runs.scores import ComparedRecord
from ift.types import Example, Side
from playground.answers import rating
from playground.answers.answered import AnsweredRuns, answered_models
from playground.answers.asking import about_run
from playground.answers.overview import overview
from playground.answers.table import Query, Row, compared, table
from playground.context import Context

HALF = {"error": {"what": "Both models have to answer this record first", "where": "", "fix": ""}}
FILES = {
    "json": ("json", "application/json"),
    "csv": ("csv", "text/csv"),
    "markdown": ("md", "text/markdown"),
    "html": ("html", "text/html"),
}
"""What a run's answers can be taken away as: ending and type."""
EMPTY = (
    "Nothing is answered yet. Press “Answer the held-out records”: the base model and the fine-tuned one answer each, "
    "and both are scored."
)


def queries(context: Context) -> list[Callable[[object], dict]]:
    """All of them; they share what they have read."""
    answered = AnsweredRuns()
    made = [make(context, answered) for make in (summary, rows, record, tokens, file)]
    return [*made, *rating.queries(context, answered)]


def summary(context: Context, answered: AnsweredRuns) -> Callable[[object], dict]:
    """For the top of the tab: the verdict and the scores, how many records there are, or what to do to get some."""

    def answers_overview(query: object) -> dict:
        def answer(run: Run, asked: dict) -> dict:
            found, scores = len(answered.rows(run)), run.scores
            return {"rows": found, "empty": "" if found else EMPTY, **(overview(scores) if scores else {})}

        return about_run(context, query, answer)

    return answers_overview


def rows(context: Context, answered: AnsweredRuns) -> Callable[[object], dict]:
    """For the table: the rows of a filter, task and text, in an order."""

    def answers_rows(query: object) -> dict:
        return about_run(context, query, lambda run, asked: table(answered.rows(run), Query.read(asked)))

    return answers_rows


def record(context: Context, answered: AnsweredRuns) -> Callable[[object], dict]:
    """For the record beside the table: all its texts, and the prompt that both models were given."""

    def answers_record(query: object) -> dict:
        return about_run(context, query, lambda run, asked: _texts(run, _row(answered.rows(run), asked)))

    return answers_record


def tokens(context: Context, answered: AnsweredRuns) -> Callable[[object], dict]:
    """For the same record: what both models make of each token of the expected answer, and where the answers part."""

    def answers_tokens(query: object) -> dict:
        def answer(run: Run, asked: dict) -> dict:
            from ift.evaluation.record_detail import record_detail

            row = _row(answered.rows(run), asked)
            if row.before is None or row.after is None:
                return HALF
            models = {side: context.models.get(name) for side, name in answered_models(run).items()}
            detail = record_detail(
                models[Side.BEFORE], models[Side.AFTER], run.question_template, ComparedRecord(row.before, row.after)
            )
            return detail.to_dict()

        return about_run(context, query, answer)

    return answers_tokens


def file(context: Context, answered: AnsweredRuns) -> Callable[[object], dict]:
    """For the browser to save: the answers of both models, or the whole report, as one of `FILES`."""

    def answers_file(query: object) -> dict:
        def answer(run: Run, asked: dict) -> dict:
            ending, kind = FILES[str(asked.get("kind"))]
            if ending == "html":
                return {"name": f"{run.id}.html", "type": kind, "text": report(run)}
            pairs = [ComparedRecord(row.before, row.after) for row in answered.rows(run) if row.before and row.after]
            if ending != "md":
                text = to_json(pairs) if ending == "json" else to_csv(pairs)
            elif scores := run.scores:
                text = to_markdown(pairs, scores)
            else:
                raise RunError("The run is not scored yet", where=run.id, fix="Answer the held-out records first.")
            return {"name": f"{run.id}-answers.{ending}", "type": kind, "text": text}

        return about_run(context, query, answer)

    return answers_file


def _row(rows: tuple[Row, ...], asked: dict) -> Row:
    """The row of the record that is asked for.

    Raises:
        LookupError: there is none.
    """
    found = next((row for row in rows if row.question.record == asked.get("record")), None)
    if found is None:
        raise LookupError(asked.get("record"))
    return found


def _texts(run: Run, row: Row) -> dict:
    question = row.question
    example = Example(question.instruction, question.input, question.output)
    return {
        "record": question.record,
        "task": question.task or "",
        "held_out": list(question.held_out),
        "instruction": question.instruction,
        "input": question.input,
        "expected": question.output,
        "has_check": question.has_check,
        "prompt": run.question_template.render(example).prompt,
        "before": _side(row, Side.BEFORE),
        "after": _side(row, Side.AFTER),
    }


def _side(row: Row, side: Side) -> dict | None:
    answer = row.before if side is Side.BEFORE else row.after
    if answer is None:
        return None
    return {
        "text": answer.model_response,
        "compared": compared(answer),
        "finish": answer.finish.value,
        "right": answer.right,
        "reason": answer.reason,
        "scores": [(score.by, score.value, score.reason) for score in answer.scores],
    }
