"""Fixtures that several files share."""

import os

import pytest

if os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: each process has a core of its own
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"  # the tests' own servers

from ift.config import TrainConfig
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.runs.folder import create_run
from ift.runs.run_config import describe
from ift.training.checkpoint import save_checkpoint
from tests.helpers import WORD, parrot, save_model, signals_kept, tiny_model, write_records


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests that take minutes, too")


def pytest_collection_modifyitems(config, items):
    # The longest first, so that no process goes on alone at the end; the sort is stable.
    items.sort(key=lambda item: (item.path.parent.name != "ui", item.path.stem != "test_run"))
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes minutes: runs with --long"))


@pytest.fixture(autouse=True)
def signals():
    """No test leaves its signal handlers behind."""
    with signals_kept():
        yield


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """The folder of a tiny random GPT-2; nobody writes to it."""
    return save_model(tiny_model(), tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def data_file(tmp_path):
    """Twenty records: 17 to train, 2 to test, 1 to validate."""
    return write_records(tmp_path / "records.json", range(20))


@pytest.fixture
def template_file(tmp_path):
    """A template short enough for a tiny context."""
    path = tmp_path / "short.txt"
    path.write_text("Q: {{instruction}}\nA:{{output}}\n", encoding="utf-8")
    return path


@pytest.fixture
def names(tiny_folder, data_file, template_file):
    """The options that name what there is to train."""
    return {"model": str(tiny_folder), "data": str(data_file), "template": str(template_file)}


@pytest.fixture
def run(names, tmp_path):
    """A run of twenty records whose fine-tuning taught one word."""
    config = TrainConfig(**names)
    run = create_run(tmp_path / "run", describe(config, load_dataset(config.data), load_template(config.template)))
    save_checkpoint(run.path / "checkpoints", parrot(WORD), step=3)
    return run


@pytest.fixture
def make(tmp_path):
    """A new run folder of this name."""

    def make(name, config):
        dataset, template = load_dataset(config.data), load_template(config.template)
        return create_run(tmp_path / name, describe(config, dataset, template))

    return make
