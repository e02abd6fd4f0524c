"""Visitors who type in the template while one run trains: real HTTP on loopback, a server and clients of their own.

Each types for two seconds, four keys per second at most, and reads for as long; a key waits for the answer to the one
before it, as the page's own script does, and every two seconds the page asks how the run is. The training is measured
by the tokens per second that its own log tells, alone and beside the visitors.
"""

import asyncio
import gzip
import json
import os
import random
import re
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from ift.events import Stepped
from ift.runs.folder import Run
from playground.runs.children import start_child
from tests.ui.conftest import Server

BURST_S, READS_S, KEY_S, POLL_S = 2.0, 2.0, 0.25, 2.0
ALONE_S, SETTLE_S, START_LIMIT_S = 20.0, 3.0, 120.0
TEMPLATE = "{}\n### Instruction:\n{{{{instruction}}}}\n\n### Response:\n{{{{output}}}}"
WORDS = "Write a response that completes the request, one key at a time. " * 3


@dataclass
class Times:
    """Milliseconds of each key, and what went wrong."""

    keys: list[float] = field(default_factory=list)
    forgotten: int = 0
    errors: list[str] = field(default_factory=list)


class Connection:
    """One that is kept, for one question after the other: a full client would take as much time as the server."""

    def __init__(self, host: str, port: int, cookie: str) -> None:
        self._address, self._streams = (host, port), None
        self._head = f"POST %s HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\nAccept-Encoding: gzip\r\n"
        self._head += "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"

    async def post(self, path: str, value: dict) -> bytes:
        """The answer's body.

        Raises:
            OSError: another answer than 200, or none.
        """
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        body = json.dumps(value).encode()
        writer.write((self._head % (path, len(body))).encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        answer = await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
        if b"connection: close" in head:
            await self.close()
        if not head.startswith(b"http/1.1 200"):
            raise OSError(head.partition(b"\r\n")[0].decode())
        return gzip.decompress(answer) if b"content-encoding: gzip" in head else answer

    async def close(self) -> None:
        """Give it up."""
        if self._streams:
            writer, self._streams = self._streams[1], None
            writer.close()
            await writer.wait_closed()


class Visitor:
    """A browser's requests, without the browser."""

    def __init__(self, url: str, times: Times) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False)
        self.times, self.session = times, os.urandom(6).hex()

    async def arrive(self) -> None:
        """Open the page, and draw the grid once."""
        text = (await self.http.get("/")).text
        self.config = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", text, re.DOTALL)[1])
        self.ids = {one["props"].get("elem_id"): one["id"] for one in self.config["components"] if "props" in one}
        target = [self.ids["size"], "change"]
        handler = next(one for one in self.config["dependencies"] if target in one["targets"] and one["backend_fn"])
        values = {one["id"]: one.get("props", {}).get("value") for one in self.config["components"]}
        body = {"data": [values[number] for number in handler["inputs"]], "session_hash": self.session}
        body |= {"fn_index": handler["id"], "trigger_id": self.ids["size"]}
        reply = await self.http.post("/gradio_api/run/predict", json=body)
        self.stamp = reply.json()["data"][0]["stamp"]
        cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        url = self.http.base_url
        self.keys, self.polls = (Connection(url.host, url.port, cookie) for _ in range(2))

    async def close(self) -> None:
        """Give up all connections."""
        await self.keys.close()
        await self.polls.close()
        await self.http.aclose()

    async def ask(self, widget: str, function: str, data: dict) -> object:
        """A component's own function on the server."""
        return json.loads(await self._ask(self.keys, widget, function, data))

    async def _ask(self, by: Connection, widget: str, function: str, data: dict) -> bytes:
        body = {"component_id": self.ids[widget], "fn_name": function, "session_hash": self.session, "data": data}
        return await by.post("/gradio_api/component_server/", body)

    async def type(self, until: float) -> None:
        """Bursts of keys with pauses in between."""
        await asyncio.sleep(random.random() * (BURST_S + READS_S))
        written = 0
        while time.monotonic() < until:
            ends = time.monotonic() + BURST_S
            while time.monotonic() < min(ends, until):
                written = (written + 1) % len(WORDS)
                began = time.monotonic()
                await self._key(TEMPLATE.format(WORDS[:written]))
                took = time.monotonic() - began
                await asyncio.sleep(max(0.0, KEY_S - took))
            await asyncio.sleep(READS_S)

    async def _key(self, template: str) -> None:
        began = time.monotonic()
        try:
            value = await self._ask(self.keys, "lens", "lens_typed", {"stamp": self.stamp, "template": template})
        except (OSError, EOFError, ValueError) as error:
            self.times.errors.append(repr(error))
            return
        self.times.keys.append(1000 * (time.monotonic() - began))
        if value == b"null":
            self.times.forgotten += 1
        else:
            self.stamp = re.search(rb'"stamp":"([^"]+)"', value)[1].decode()

    async def poll(self, until: float) -> None:
        """What the page asks while it is open."""
        while time.monotonic() < until:
            await asyncio.sleep(POLL_S * (0.5 + random.random()))
            try:
                await self._ask(self.polls, "chart", "poll_training", {"run": None, "offset": 0})
            except (OSError, EOFError, ValueError) as error:
                self.times.errors.append(repr(error))


async def _visit(url: str, count: int, seconds: float) -> Times:
    times = Times()
    visitors = [Visitor(url, times) for _ in range(count)]
    for start in range(0, count, 10):
        await asyncio.gather(*(visitor.arrive() for visitor in visitors[start : start + 10]))
    until = time.monotonic() + seconds
    await asyncio.gather(*(task(until) for one in visitors for task in (one.type, one.poll)))
    await asyncio.gather(*(visitor.close() for visitor in visitors))
    return times


def speed(run: Run, since: float, until: float) -> float:
    """Steps per second that a run's log tells between two moments of its own clock."""
    steps = [event for event in run.training.read()[0] if isinstance(event, Stepped) and since <= event.time_s <= until]
    return (len(steps) - 1) / (steps[-1].time_s - steps[0].time_s)


def _train(home: Path, nice: int) -> tuple[subprocess.Popen, Run]:
    """A training as the page starts it, that outlasts the measurement."""
    run = Run(home / "runs" / "measured")
    steps = "100000"
    options = ["--max_steps", steps, "--eval_steps", steps, "--save_steps", steps, "--out", str(run.path)]
    child = start_child(["train", *options], output=subprocess.DEVNULL, nice=nice)
    until = time.monotonic() + START_LIMIT_S
    while not any(isinstance(event, Stepped) for event in run.training.read()[0]):
        if time.monotonic() > until:
            raise RuntimeError("the training did not begin")
        time.sleep(0.2)
    return child, run


def measure(counts: Sequence[int], seconds: float, nice: int) -> dict[str, dict]:
    """The training alone, then with each number of visitors; milliseconds per key and how much slower it trains."""
    home, found = Path(tempfile.mkdtemp()), {}
    os.environ["IFT_MODE"] = "public"
    server = Server(home)
    server.start()
    child, run = _train(home, nice)
    try:
        time.sleep(SETTLE_S)
        began = run.training.read()[0][-1].time_s
        time.sleep(ALONE_S)
        alone = speed(run, began, began + ALONE_S)
        for count in counts:
            first = run.training.read()[0][-1].time_s
            times = asyncio.run(_visit(server.url, count, seconds))
            last = run.training.read()[0][-1].time_s
            keys = statistics.quantiles(times.keys, n=100)
            found[f"{count} visitors"] = {
                "keys": len(times.keys),
                "p50_ms": round(keys[49], 1),
                "p95_ms": round(keys[94], 1),
                "most_ms": round(max(times.keys), 1),
                "forgotten": times.forgotten,
                "errors": len(times.errors),
                "training_slower": round(alone / speed(run, last - seconds, last), 2) if last > first else None,
            }
    finally:
        child.kill()
        child.wait()
        server.stop(signal.SIGTERM)
    return found


def table(result: dict[str, dict]) -> str:
    """The same for people."""
    return "\n".join(f"{name}: {values}" for name, values in result.items())
