"""A download that the page waits for: how far it is, its end, and its cancelling."""

import threading

import pytest

from ift.errors import DataError, DownloadError
from playground import downloads as module
from playground.downloads import Done, Download, Downloads


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "EVERY_S", 0.01)


def test_how_far_it_is_comes_until_the_value_does():
    seen = threading.Event()

    def work(progress):
        progress(3_000_000, 22_800_000)
        seen.wait(5)
        return "all"

    steps = Downloads().follow(work)
    far = next(step for step in steps if step.done)
    seen.set()
    *_, last = steps
    assert (far.done, far.total, last) == (3_000_000, 22_800_000, Done("all"))
    assert Download("t", 3_000_000, 22_800_000, 1_100_000).text == "3.0 of 22.8 MB, 1.1 MB/s"
    assert Download("t", 3_000_000, 0, 0).text == "3.0 MB, 0.0 MB/s"
    assert Download("t").text == ""


def endless(progress):
    done = 0
    while True:
        done += 1
        progress(done, 0)
        threading.Event().wait(0.001)


def test_it_can_be_cancelled_by_its_own_token_only():
    downloads = Downloads()
    steps = downloads.follow(endless)
    token = next(steps).token
    downloads.cancel("another")
    assert next(steps).token == token
    downloads.cancel(token)
    with pytest.raises(DownloadError, match="cancelled"):
        list(steps)
    assert downloads._cancelled == {}


def test_a_visitor_who_has_gone_ends_it():
    before = threading.active_count()
    steps = Downloads().follow(endless)
    next(steps)
    steps.close()
    for _ in range(500):
        if threading.active_count() == before:
            break
        threading.Event().wait(0.01)
    assert threading.active_count() == before


def test_what_goes_wrong_is_raised_where_the_page_waits():
    def work(progress):
        raise DataError("no such thing")

    with pytest.raises(DataError, match="no such thing"):
        list(Downloads().follow(work))
