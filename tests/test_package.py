"""The wheel: everything is in it, and it works away from any checkout."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ift

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that the wheel is installed in; its dependencies are those of the tests."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(wheels)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = wheels.glob("ift_playground-*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*install, "--target", str(folder), str(wheel)], check=True, capture_output=True)
    return folder


@pytest.fixture
def run_installed(installed, tmp_path):
    """Runs a program from an empty folder, with the wheel on the path and the checkout nowhere."""
    env = {**os.environ, "PYTHONPATH": str(installed), "IFT_CACHE": str(tmp_path / "cache"), "IFT_HOME": str(tmp_path)}

    def run_installed(*program):
        command = [sys.executable, *program]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_installed


def test_the_wheel_is_what_runs(installed, run_installed):
    assert Path(run_installed("-c", "import ift; print(ift.__file__)").strip()).is_relative_to(installed)
    assert (installed / "ift" / "py.typed").exists()


def test_a_batch_of_the_starter_data(run_installed):
    batch = json.loads(run_installed("-m", "ift", "batch", "--data", "starter", "--rows", "0,1", "--json"))
    assert len(batch["inputs"]) == len(batch["targets"]) == 2


def test_a_training_of_the_starter(run_installed, tmp_path):
    run_installed("-m", "ift", "train", "--model", "starter", "--max_steps", "2", "--out", "R")
    events = [json.loads(line) for line in (tmp_path / "R" / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert events[-1]["event"] == "finished"
    assert (tmp_path / "R" / "checkpoints" / "step-000002" / "model.safetensors").exists()


def test_the_console_script_gives_the_version(installed, run_installed):
    script = installed / "bin" / "ift"
    if not script.exists():
        pytest.skip("pip names console scripts otherwise on this system")
    assert run_installed(str(script), "--version") == f"ift {ift.__version__}\n"


def test_the_page_starts(run_installed):
    program = """
import socket, sys, urllib.request
import playground.__main__  # sets the environment first
from playground.launch import launch
from playground.settings import read_settings
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
server = launch(read_settings("127.0.0.1"), host="127.0.0.1", port=port, blocking=False)
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/").status)
server.close()
"""
    assert run_installed("-c", program).splitlines()[0] == "200"


def test_the_two_lists_of_requirements_agree():
    """Each dependency's range begins at the version that requirements.txt pins, which is the one that was tested."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = [*project["dependencies"], *project["optional-dependencies"]["app"]]
    pins = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert sorted(text.partition(",")[0].replace(">=", "==") for text in ranges) == sorted(pins)
