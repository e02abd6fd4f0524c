"""`python app.py` as a user starts and ends it."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import gradio as gr
import pytest

from playground.launch import let_rest

ROOT = Path(__file__).parents[2]
LIMIT_S = 60


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("after_s", [0.5, 2.0])
def test_ctrl_c_while_it_starts_prints_no_traceback(tmp_path, after_s):
    command = [sys.executable, str(ROOT / "app.py")]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(after_s)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=LIMIT_S)
    assert "Traceback" not in printed
    assert process.returncode in (0, -signal.SIGINT)


def test_an_idle_server_looks_less_often_than_gradio_would():
    async def looks():
        page = gr.Blocks().queue()  # on a loop of its own, which it would leave open
        before = vars(page._queue).copy()
        let_rest(page)
        return {name: (before[name], now) for name, now in vars(page._queue).items() if before.get(name) != now}

    changed = asyncio.run(looks())
    assert changed.keys() == {"sleep_when_free", "progress_update_sleep_when_free"}  # Gradio reads these
    assert all(was < now for was, now in changed.values())
