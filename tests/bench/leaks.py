"""What a public server still holds after many visitors: memory, files, handles and children, before and after a sweep.

Sessions are opened as a browser does (the page, its connection, a key, an event and its stream) and closed; uploads are
broken off in their middle, some arrive and are read; runs are trained, started from the page. On a machine where a
child takes seconds to start, all but some runs are folders that were prepared: the server sees them as it sees others,
shows them to their owner and removes them, but started no process for them.
"""

import asyncio
import json
import random
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from ift.events import Finished
from ift.runs.folder import create_run
from playground.ownership import Ownership
from playground.settings import MEBIBYTE, Mode, Settings
from playground.visitors import Visitor as Key
from playground.visitors import acting_as
from tests.bench.visitors import TEMPLATE, Times, Visitor
from tests.helpers import run_config
from tests.hostile.conftest import Held, Server

AT_ONCE = 10
RUN_LIMIT_S = 300
BROKEN_OFF_BYTES = 200_000
TAKEN = 10
"""Of so many uploads one arrives and is read."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is done."""

    sessions: int = 1_000
    runs: int = 100
    trained: int = 3
    uploads: int = 500


class Guest(Visitor):
    """A page that is opened, used a little and closed."""

    async def visit(self) -> None:
        """From the first request to the end of its connection."""
        await self.arrive()
        async with self.http.stream("GET", f"/gradio_api/heartbeat/{self.session}") as connection:
            await anext(connection.aiter_bytes())
            template = TEMPLATE.format(random.random())
            await self.ask("lens", "lens_typed", {"stamp": self.stamp, "template": template})
            await self.ask("chart", "poll_training", {"run": None, "offset": 0})
            await self.event(self._named("attach"), [None])
        await self.close()

    async def break_off(self, times: int) -> None:
        """Send half of a file and hang up, again and again."""
        await self.arrive()
        for _ in range(times):
            await self._break_off()
        await self.close()

    async def _break_off(self) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", self.http.base_url.port)
        cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        head = (
            f"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n"
            f"Content-Length: {2 * BROKEN_OFF_BYTES}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="files"; filename="a.json"\r\n\r\n'
        )
        writer.write(head.encode() + b"x" * BROKEN_OFF_BYTES)
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()

    async def bring(self, number: int) -> None:
        """Upload a data set and use it."""
        record = {"instruction": f"After {number}?", "input": "", "output": f"{number + 1}"}
        files = {"files": ("mine.json", json.dumps([record] * 20))}
        (path,) = (await self.http.post("/gradio_api/upload", files=files)).json()
        handler = self._of("upload", "change")
        values = self.values(handler)
        values[0] = {"path": path, "meta": {"_type": "gradio.FileData"}}
        said = await self.event(handler, values)
        if "is in use" not in said:
            raise RuntimeError(f"the upload was not taken: {said[:500]}")

    async def train(self) -> str:
        """Start a short run on tab 3 and wait until its held-out records are answered; its name."""
        handler = self._of("start", "click")
        labels = {one["id"]: one.get("props", {}).get("label") for one in self.config["components"]}
        values = self.values(handler)
        small = {"max_steps": 2, "eval_steps": 2}
        values = [small.get(labels[number], value) for number, value in zip(handler["inputs"], values, strict=True)]
        said = await self.event(handler, values)
        found = re.search(r"starter-[0-9a-f]{8}", said)
        if not found:
            raise RuntimeError(f"the run did not start: {said[:1500]}")
        name = found[0]
        await self._finished("chart", "poll_training", name)
        await self._finished("answers", "poll_evaluation", name)
        return name

    async def _finished(self, widget: str, poll: str, run: str) -> None:
        until = time.monotonic() + RUN_LIMIT_S
        while True:
            news = await self.ask(widget, poll, {"run": run, "offset": 0})
            if news["state"] == "finished":
                return
            if time.monotonic() > until or news["state"] == "failed":
                raise RuntimeError(f"the run did not finish: {news}")
            await asyncio.sleep(0.5)

    async def look(self, run: str) -> None:
        """What tab 3 shows of a run."""
        news = await self.ask("chart", "poll_training", {"run": run, "offset": 0})
        if news["state"] != "finished":
            raise RuntimeError(f"the owner does not see the run: {news}")

    async def event(self, handler: dict, values: list) -> str:
        """A handler's work through the queue, and all that its stream says."""
        body = {"fn_index": handler["id"], "data": values, "session_hash": self.session}
        (await self.http.post("/gradio_api/queue/join", json=body)).raise_for_status()
        async with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as reply:
            return "".join([part async for part in reply.aiter_text()])

    def values(self, handler: dict) -> list:
        """What the page sends for a handler at its start."""
        values = {one["id"]: one.get("props", {}).get("value") for one in self.config["components"]}
        return [values[number] for number in handler["inputs"]]

    def _of(self, widget: str, event: str) -> dict:
        target = [self.ids[widget], event]
        return next(one for one in self.config["dependencies"] if target in one["targets"] and one["backend_fn"])

    def _named(self, name: str) -> dict:
        return next(one for one in self.config["dependencies"] if one["api_name"] == name)


async def live(server: Server, amount: Amount) -> None:
    """All visits, uploads and runs."""
    await _some_at_once(Guest(server.url, Times()).visit for _ in range(amount.sessions))
    await asyncio.gather(*(Guest(server.url, Times()).break_off(amount.uploads // AT_ONCE) for _ in range(AT_ONCE)))
    guest = Guest(server.url, Times())
    await guest.arrive()
    for number in range(amount.uploads // TAKEN):
        await guest.bring(number)
    for _ in range(amount.trained):
        await guest.train()
    prepare = amount.runs - amount.trained
    names = [_prepared(server, guest.http.cookies["ift-visitor"], number) for number in range(prepare)]
    for name in names:
        await guest.look(name)
    await guest.close()


async def _some_at_once(tasks: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do all, `AT_ONCE` at a time."""
    rest = iter(tasks)

    async def worker() -> None:
        for begin in rest:
            await begin()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


def _prepared(server: Server, key: str, number: int) -> str:
    settings = Settings(server.home, Mode.PUBLIC)
    run = create_run(settings.runs / f"starter-prepared-{number}-{time.time_ns()}", run_config())
    with acting_as(Key(key)):
        Ownership(settings).claim(run)
    run.training.append(Finished(step=1))
    return run.id


def compare(server: Server, amount: Amount) -> tuple[Held, Held, Held]:
    """What a server holds after a little of everything, which loads all libraries, and a sweep; after all; swept."""
    asyncio.run(live(server, Amount(sessions=AT_ONCE, runs=2, trained=min(1, amount.trained), uploads=TAKEN)))
    start = server.swept()
    asyncio.run(live(server, amount))
    peak, end = server.held(), server.swept()
    server.require_unharmed()
    return start, peak, end


def measure(amount: Amount) -> dict[str, object]:
    """How much more there is at the end, and at the peak."""
    began, server = time.monotonic(), Server(Path(tempfile.mkdtemp()))
    try:
        start, peak, end = compare(server, amount)
    finally:
        server.stop()
    return {
        **asdict(amount),
        "seconds": round(time.monotonic() - began),
        "start_mb": _mb(start.rss_bytes),
        "peak_mb": _mb(peak.rss_bytes),
        "grown_mb": _mb(end.rss_bytes - start.rss_bytes),
        "handles": [start.handles, end.handles],
        "threads": [start.threads, end.threads],
        "children": [start.children, end.children],
        "files_left": sorted(end.files - start.files),
        "left": end.left,
    }


def _mb(size: int) -> float:
    return round(size / MEBIBYTE, 1)


def table(result: dict[str, object]) -> str:
    """The same for people."""
    return "\n".join(f"{name}: {value}" for name, value in result.items())
