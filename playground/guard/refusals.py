"""A request that the page does not answer, and what it says instead."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import JSONResponse, Response

from ift.errors import IftError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Refused(Exception):  # noqa: N818  it is no error of ours
    """Why a request is not answered, as an HTTP status and a sentence."""

    def __init__(self, status: int, why: str) -> None:
        self.status, self.why = status, why
        super().__init__(why)

    def response(self) -> Response:
        """In the form that Gradio's page shows to its user."""
        return JSONResponse({"detail": self.why}, self.status)


NOT_THERE = "There is no such page."
"""Also of what is somebody else's: it looks as if it did not exist."""


def over(problem: IftError, status: int = 413) -> Refused:
    """What is over a limit, in the words of the limit."""
    return Refused(status, str(problem))
