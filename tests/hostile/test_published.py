"""Whatever fits what the page says of itself, or does not, is answered: schemathesis makes the requests.

A few for each handler; with `--long` hundreds.
"""

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.hostile.conftest import PATIENCE_S, Visitor
from tests.hostile.published import operations

FEW, MANY = 2, 200
MOST_REACH = 40
"""Of some sixty handlers and questions, with a few requests each; the others refuse what they are sent."""
ALWAYS_RIGHT = {"heartbeat/{name}", "file={name}"}
"""Whose schema nothing breaks."""


@pytest.fixture(scope="module")
def guest(server):
    return Visitor(server)


def send(visitor, case):
    """One request, and what the queue says of it where it has gone there."""
    options = case.as_transport_kwargs(base_url=visitor.server.url)
    if isinstance(options.get("json"), dict) and options["json"].get("session_hash") == "SESSION":
        options["json"]["session_hash"] = visitor.session
    options |= {"timeout": PATIENCE_S, "allow_redirects": False, "stream": True}
    options.pop("cookies", None)
    with visitor.http.request(**options) as reply:
        if options["method"] == "GET":  # some of these never end
            said = next(reply.iter_content(10_000), b"").decode("utf-8", "replace")
        else:
            said = reply.text
            if reply.status_code == 200 and options["url"].endswith("queue/join"):
                said += visitor.results()
        assert reply.status_code < requests.codes.server_error, said
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert "Traceback" not in said
    assert str(visitor.server.home) not in said
    visitor.server.require_unharmed()
    return reply


def test_every_handler_answers_whatever_fits_its_schema_or_does_not(guest, request):
    is_long = request.config.getoption("--long")
    how = settings(
        max_examples=MANY if is_long else FEW,
        deadline=None,
        database=None,
        derandomize=not is_long,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    reached = set()
    for name, operation in operations(guest.config):
        for mode in GenerationMode if is_long and name not in ALWAYS_RIGHT else [GenerationMode.POSITIVE]:
            for case in drawn(operation.as_strategy(generation_mode=mode), how):
                if send(guest, case).status_code == requests.codes.ok:
                    reached.add(name)
    assert len(reached) > MOST_REACH


def drawn(cases, how):
    """So many of them."""
    found = []

    @how
    @given(case=cases)
    def keep(case):
        found.append(case)

    keep()
    return found
