"""What the page's scripts ask of a component's functions, answered on the way to Gradio.

A key in the template and a look at a run are such questions: a hundred visitors ask 250 in a second, and by
Gradio's own route a look costs the server nearly twice as much.
"""

from inspect import iscoroutinefunction

import gradio as gr
from anyio import to_thread
from gradio.routes import ORJSONResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground.guard.addresses import QUESTION
from playground.visitors import NOBODY, SCOPE, acting_as


class Questions:
    """The same contract as Gradio's route: {component_id, fn_name, data}; the guard has checked that they are there."""

    def __init__(self, page: gr.Blocks) -> None:
        self._page = page

    def route(self) -> Route:
        """For the server, before Gradio's own."""
        return Route(f"{QUESTION}/", self._answer, methods=["POST"])

    async def _answer(self, request: Request) -> Response:
        body = await request.json()
        function = getattr(self._page.blocks[body["component_id"]], body["fn_name"])
        with acting_as(request.scope.get(SCOPE, NOBODY)):
            if iscoroutinefunction(function):
                found = await function(body["data"])
            else:
                found = await to_thread.run_sync(function, body["data"], limiter=self._page.limiter)
        return ORJSONResponse(found)
