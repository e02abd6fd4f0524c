"""`python app.py` as a user starts and ends it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

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
