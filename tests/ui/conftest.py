"""A real browser on a real `python app.py`. Without a Chromium or Chrome these tests skip aloud; in CI they fail."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000
GIVEN_UP = ("AbortError: signal is aborted", "Unexpected error Connection errored out")
"""What Gradio says of the streams that a page gives up when it is loaded again."""


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/ui" in item.path.as_posix():
            item.add_marker(pytest.mark.ui)


def find_browser():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def launch(playwright):
    """A new browser, which keeps nothing."""
    return playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)


@pytest.fixture(scope="package")
def context(tmp_path_factory):
    """A browser that keeps the page's scripts from test to test, also compiled, and nothing else.

    It is closed before others run in the same process: they would see its event loop.
    """
    if find_browser() is None:
        reason = f"no browser: install Chromium or Chrome ({', '.join(BROWSERS)} are looked for)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    profile, size = tmp_path_factory.mktemp("profile"), {"width": 1400, "height": 1000}
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=find_browser(), args=FLAGS, viewport=size
        )
        context.set_default_timeout(PATIENCE_MS)
        yield context
        context.close()


class Server:
    """`python app.py` as a child process over a folder of its own."""

    def __init__(self, home):
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process = None

    def start(self):
        env = {**os.environ, "IFT_HOME": str(self.home)}
        command = [sys.executable, "app.py", "--port", str(self.port)]
        log = (self.home / "server.log").open("ab")
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        log.close()
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError((self.home / "server.log").read_text())

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.wait(30)

    def runs(self):
        return {path.name for path in (self.home / "runs").glob("*")}

    def events(self, run):
        path = self.home / "runs" / run / "events.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


@pytest.fixture(scope="package")
def shared_server(tmp_path_factory):
    yield from served(tmp_path_factory)


@pytest.fixture(scope="module")
def server(request, tmp_path_factory):
    """One for all files; those with OWN_SERVER, which leave runs behind, have one each."""
    if getattr(request.module, "OWN_SERVER", False):
        yield from served(tmp_path_factory)
    else:
        yield request.getfixturevalue("shared_server")


def served(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("home"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def visit(context, server):
    """Open the page, as often as a test likes; afterwards nothing may have gone wrong in any of them."""
    watched = []

    def visit(at="", *, before="", **media):
        """At the end of the address there may be more; a script may run before the page's, in an emulated medium."""
        page = context.new_page()
        watched.append(Watch(page, server.url))
        page.emulate_media(**media)
        if before:
            page.add_init_script(before)
        page.goto(f"{server.url}{at}")
        if not at:  # a link opens another tab
            page.locator("#records table").wait_for()
        return page

    yield visit
    seen = [what for watch in watched for what in watch.trouble()]  # before closing, which gives up streams
    forget_visitor(context, server.url)
    assert seen == []


class Watch:
    """What goes wrong in a page: errors on its console, in its scripts, and requests to elsewhere."""

    def __init__(self, page, url):
        self.page, self.url, self.seen, self.loads = page, url, [], 0
        page.on("console", lambda message: self.seen.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.seen.append(str(error)))
        page.on("request", self.request)
        page.on("domcontentloaded", self.loaded)

    def request(self, request):
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.seen.append(request.url)

    def loaded(self):
        self.loads += 1

    def trouble(self):
        given_up = GIVEN_UP if self.loads > 1 else ()
        return [what for what in self.seen if not what.startswith(given_up)]


def forget_visitor(context, url):
    """Close the pages and forget what the server and the page keep in a browser."""
    blank = context.new_page()  # a browser without a page ends
    for page in context.pages:
        if page is not blank:
            page.close()
    context.clear_cookies()
    everything = {"origin": url.rstrip("/"), "storageTypes": "local_storage"}
    context.new_cdp_session(blank).send("Storage.clearDataForOrigin", everything)


def open_tab(page, name):
    tab = page.get_by_role("tab", name=re.compile(f"^{re.escape(name)}"))  # while a run goes on, one has a badge
    in_menu = page.locator(".overflow-dropdown button", has_text=name)  # Gradio moves there what does not fit
    if in_menu.count():
        page.locator(".overflow-menu > button").click()
        tab = in_menu
    tab.click()


def drawn(page):
    return page.locator(".lens").get_attribute("data-drawn")


def wait_for_redraw(page, before):
    page.wait_for_function("before => document.querySelector('.lens').dataset.drawn !== before", arg=before)


def edit(page, source):
    before = drawn(page)
    page.locator("#template textarea").fill(source)
    wait_for_redraw(page, before)


def lens_page(visit):
    page = visit()
    open_tab(page, "2 Prompt & batch")
    page.locator(".lens .c").first.wait_for()
    return page


def unfold(page):
    page.get_by_role("button", name="Fold the shared prefix").click()


def cells(page, kind):
    """Every cell's own number, row by row, as the page holds it."""
    return page.evaluate(
        """kind => [...document.querySelectorAll(`.lens .line.${kind}`)].map(
            line => [...line.querySelectorAll('[data-key]')].map(cell => +cell.dataset.id))""",
        kind,
    )


def step(page, number):
    page.locator(".lens .steps button").nth(number - 1).click()
    page.wait_for_function("number => document.querySelector('.lens').dataset.step === number", arg=str(number))


def unfold_group(page, name):
    """One of the groups of switches in the rail of tab 2."""
    page.locator("#rail").get_by_role("button", name=re.compile(f"^{name}")).click()


def choose(page, box, option):
    before = drawn(page)
    page.locator(f"{box} input").click()
    page.get_by_role("option", name=option, exact=True).click()
    wait_for_redraw(page, before)
