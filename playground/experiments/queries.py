"""What the browser asks on tab 5. Queries come from the browser, so they may be anything."""

from collections.abc import Callable

from ift.errors import IftError
from ift.experiments.replay import RECORDINGS
from playground.context import Context
from playground.experiments.board import Board


def experiments(context: Context) -> list[Callable[[object], dict]]:
    """The functions of the tab, for one server."""
    board = Board(context.jobs, context.queue)

    def poll_experiments(query: object) -> dict:
        return _answered(board.show)

    def begin_experiment(query: object) -> dict:
        fields = query if isinstance(query, dict) else {}
        pairs = fields.get("pairs")
        count = pairs if isinstance(pairs, int) and not isinstance(pairs, bool) else 1
        return _answered(lambda: board.begin(str(fields.get("twin")), pairs=count) or board.show())

    def leave_queue(query: object) -> dict:
        fields = query if isinstance(query, dict) else {}
        return _answered(lambda: board.leave(str(fields.get("run"))) or board.show())

    def compare_experiments(query: object) -> dict:
        names = query.get("runs") if isinstance(query, dict) else None
        names = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
        of_twin = query.get("twin") if isinstance(query, dict) else ""
        return _answered(lambda: board.compare(names, of_twin=str(of_twin)))

    def recorded(query: object) -> dict:
        name = query.get("name") if isinstance(query, dict) else None
        files = {file.stem: file for file in RECORDINGS.glob("*.json")}
        return {"recording": files[name].read_text(encoding="utf-8") if name in files else ""}

    return [poll_experiments, begin_experiment, leave_queue, compare_experiments, recorded]


def _answered(ask: Callable[[], dict]) -> dict:
    try:
        return ask()
    except IftError as error:
        return {"error": {"what": error.what, "where": error.where, "fix": error.fix}}
