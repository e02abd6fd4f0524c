"""One public server for all hostile inputs, its process watched; and visitors who speak to it as a browser would."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

ROOT = Path(__file__).parents[2]
START_LIMIT_S, PATIENCE_S = 120, 30
OWN_FILES = {"server.log", "watched.log", "ready", "swept.json"}
MOST_GROWTH = 200 * 2**20
"""Of the server's memory, by one request."""


@dataclass(frozen=True, slots=True)
class Held:
    """Of one process at one moment. left: what its own objects hold for visitors."""

    rss_bytes: int
    handles: int
    threads: int
    children: int
    files: frozenset[str]
    left: dict[str, int]


class Server:
    """A page in a process of its own, and what its log and its watch say."""

    def __init__(self, home: Path, mode: str = "public") -> None:
        self.home = home
        (home / "tmp").mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        with (home / "server.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.hostile.watched_server", str(home), str(self.port), mode]
            env = {**os.environ, "IFT_TEACHER_KEY": TEACHER, "GRADIO_ANALYTICS_ENABLED": "False"}
            env["TMPDIR"] = str(home / "tmp")
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=env)
        until = time.monotonic() + START_LIMIT_S
        while not (home / "ready").exists():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.05)
        self.peak, self.seen = self.rss, {"log": 0, "watched": 0}

    @property
    def rss(self) -> int:
        return psutil.Process(self.process.pid).memory_info().rss

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text(encoding="utf-8", errors="replace")

    @property
    def watched(self) -> str:
        path = self.home / "watched.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def new(self, name: str) -> str:
        """What one of the two says that it did not say before."""
        text, seen = getattr(self, name), self.seen[name]
        self.seen[name] = len(text)
        return text[seen:]

    def require_unharmed(self) -> None:
        """Nothing that a request must not cause, since this was last asked."""
        assert self.process.poll() is None, self.log[-2000:]
        assert "Traceback" not in self.new("log")
        assert self.new("watched") == ""
        grown, self.peak = self.rss - self.peak, max(self.peak, self.rss)
        assert grown < MOST_GROWTH

    def swept(self) -> Held:
        """What it holds after a sweep."""
        report = self.home / "swept.json"
        report.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + PATIENCE_S
        while not report.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        return self.held(json.loads(report.read_text(encoding="utf-8")))

    def held(self, left: dict[str, int] | None = None) -> Held:
        """What it holds now."""
        process = psutil.Process(self.process.pid)
        files = {str(path.relative_to(self.home)) for path in self.home.rglob("*") if path.is_file()}
        children = len(process.children(recursive=True))
        memory = process.memory_info().rss
        return Held(
            memory, process.num_fds(), process.num_threads(), children, frozenset(files) - OWN_FILES, left or {}
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


TEACHER = "teacher-key-of-22-chars"


class Visitor:
    """A browser's side of the page, without the browser: its cookie, its session, and how Gradio's page asks."""

    def __init__(self, server: Server, at: str = "/") -> None:
        self.server, self.http = server, requests.Session()
        self.http.trust_env = False
        reply = self.http.get(f"{server.url}{at}", timeout=PATIENCE_S)
        assert reply.status_code == 200, reply.text
        self.session = os.urandom(6).hex()
        text = re.search(r"window\.gradio_config = (\{.*?\});</script>", reply.text, re.DOTALL)[1]
        self.config = json.loads(text)
        self.ids = {one["props"].get("elem_id"): one["id"] for one in self.config["components"] if "props" in one}

    def request(self, method, path, **options):
        """One request; whatever it is, its answer is clean and comes soon."""
        began = time.monotonic()
        reply = self.http.request(
            method, f"{self.server.url}{path}", timeout=PATIENCE_S, allow_redirects=False, **options
        )
        assert time.monotonic() - began < 10
        return self.clean(reply)

    def clean(self, reply):
        text = reply.text
        assert "Traceback" not in text
        assert str(self.server.home) not in text
        assert str(ROOT) not in text
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.status_code != 500, text
        self.server.require_unharmed()
        return reply

    def post(self, path, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", f"/gradio_api/{path}", data=data, headers={"content-type": "application/json"})

    def ask(self, widget, function, data, **other):
        """A component's own function on the server."""
        body = {"component_id": self.ids[widget], "fn_name": function, "session_hash": self.session, "data": data}
        return self.post("component_server/", {**body, **other})

    def event(self, widget, name):
        """The handler of a widget's event."""
        target = [self.ids[widget], name]
        return next(one for one in self.config["dependencies"] if target in one["targets"] and one["backend_fn"])

    def values(self, handler):
        """What the page sends for a handler at its start."""
        widgets = {one["id"]: one for one in self.config["components"]}
        return [widgets[number].get("props", {}).get("value") for number in handler["inputs"]]

    def trigger(self, widget, name, values=None, **change):
        """An event, with the page's own values but for some, given by the widget's elem_id."""
        handler = self.event(widget, name)
        values = self.values(handler) if values is None else values
        for other, value in change.items():
            number = self.ids[other.replace("_", "-")]
            values = [value if one == number else old for one, old in zip(handler["inputs"], values, strict=True)]
        body = {"fn_index": handler["id"], "data": values, "session_hash": self.session, "trigger_id": self.ids[widget]}
        return self.post("queue/join" if handler["queue"] else "run/predict", body)

    def upload(self, name, raw):
        reply = self.request("POST", "/gradio_api/upload", files={"files": (name, raw)})
        return reply.json()[0] if reply.status_code == 200 else reply

    def results(self, seconds=20):
        """What the queue has sent for this session, until it has done all."""
        url = f"{self.server.url}/gradio_api/queue/data?session_hash={self.session}"
        with self.http.get(url, stream=True, timeout=seconds) as reply:
            return "".join(self.clean_line(line) for line in reply.iter_lines())

    def clean_line(self, line):
        text = line.decode()
        assert "Traceback" not in text
        assert str(self.server.home) not in text
        return text


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("hostile"))
    yield server
    try:
        server.require_unharmed()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def stranger(server):
    return Visitor(server)


@pytest.fixture(scope="session")
def owner(server):
    return Visitor(server)


@pytest.fixture(scope="session")
def classroom(tmp_path_factory):
    """Another one, for a class."""
    server = Server(tmp_path_factory.mktemp("classroom"), "classroom")
    yield server
    server.stop()
