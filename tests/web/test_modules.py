"""The page's modules without a page, by Node's own test runner. Without Node these skip aloud; in CI they fail."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.masks import TRAIN_ON
from playground.lens.payload import lens, shown

TESTS = Path(__file__).parent


def test_the_modules_do_what_their_own_tests_say():
    node = shutil.which("node")
    if node is None:
        reason = "no Node: install it (nodejs.org, or your system's nodejs package)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    files = sorted(map(str, TESTS.glob("*.test.js")))
    assert files
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    assert int(re.search(r"# pass (\d+)", done.stdout).group(1)) >= len(files)


def test_the_batch_of_those_tests_has_what_the_server_sends():
    source = (TESTS / "small_batch.js").read_text(encoding="utf-8")
    named = set(re.findall(r"^  (\w+):", source.partition("export const view")[2].partition("};")[0], re.MULTILINE))
    found = shown(load_dataset("starter").examples, [0], load_template("alpaca"), trained=TRAIN_ON["response"])
    assert named <= set(lens(found))
