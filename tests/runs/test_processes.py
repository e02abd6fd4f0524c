"""Which process is meant, what it holds, and what the machine has left."""

import subprocess
import sys

import psutil
import pytest

from ift.runs.processes import available_bytes, creation_time, end_process, is_alive, peak_bytes


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def test_a_process_is_ended_by_pid_and_start_time(child):
    end_process(child.pid, creation_time(child.pid))
    assert child.wait(60) != 0


def test_another_process_with_the_same_pid_is_left_alone(child):
    created = creation_time(child.pid)
    end_process(child.pid, created - 100)
    assert is_alive(child.pid, created)


def test_a_process_that_has_ended_needs_no_ending(child):
    created = creation_time(child.pid)
    child.kill()
    child.wait()
    end_process(child.pid, created)


def test_the_peak_of_memory_stays_when_the_memory_is_given_back():
    before = peak_bytes()
    held = bytearray(b"x") * (before + (50 << 20))
    assert peak_bytes() > len(held)
    del held
    assert peak_bytes() > before
    assert peak_bytes() < psutil.virtual_memory().total


def test_no_more_is_available_than_the_machine_has():
    assert 0 < available_bytes() < psutil.virtual_memory().total


def test_a_clock_that_is_set_makes_no_process_another_one(child):
    created = creation_time(child.pid)
    now = psutil.Process(child.pid).create_time()
    assert created == pytest.approx(now - psutil.boot_time() if sys.platform == "linux" else now, abs=1.1)
