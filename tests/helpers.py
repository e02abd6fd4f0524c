"""Small values that several test files build their cases from, and a web server for the downloads."""

import json
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import torch
import torch.nn.functional as F

from ift.config import TrainConfig
from ift.data.sources import load_dataset
from ift.data.templates import load_template
from ift.data.tokenizer import encode_text
from ift.model.gpt2 import random_model
from ift.model.gpt2_config import GPT2Config
from ift.model.hf_model import write_model
from ift.roles import Role
from ift.runs.evaluation_plan import EvaluationPlan, SidePlan
from ift.runs.lifecycle import logged
from ift.runs.ranks import ALONE
from ift.runs.run_config import RunConfig, RunData, SplitCounts
from ift.runs.scores import Decoding
from ift.runs.stop import Stop
from ift.training.finetune import train_events
from ift.types import EOS_ID, Encoded, Side
from playground.views import run

E = EOS_ID
EVERYTHING = frozenset(Role) - {Role.PAD}
(WORD,) = encode_text(" word")


def encoded(*ids, roles=None, prompt_length=0):
    """A row of these ids with the end-of-text after them; all RESPONSE unless `roles` says otherwise."""
    roles = [Role.RESPONSE] * len(ids) if roles is None else roles
    return Encoded(np.array([*ids, E], dtype=np.uint16), np.array([*roles, Role.EOS], dtype=np.uint8), prompt_length)


_I, _H, _R = Role.INSTRUCTION, Role.HEADER, Role.RESPONSE
SHORT_ROWS = [
    encoded(10, 11, 12, 13, roles=[_I, _I, _H, _R]),
    encoded(20, 21, roles=[_I, _R]),
    encoded(30, 31, 32, 33, 34, 35, roles=[_I, _H, _R, _R, _R, _R]),
    encoded(40, 41, 42, roles=[_I, _H, _R]),
    encoded(50, 51, roles=[_H, _R]),
]
"""Rows of several lengths, each with something trained and something not."""


def tiny_model(*, seed=1, n_positions=64):
    """GPT-2 with the full vocabulary and next to nothing else; every bias and norm counts, and it has opinions."""
    model = random_model(GPT2Config(n_positions=n_positions, n_embd=16, n_layer=2, n_head=2), seed=seed)
    rng = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape, generator=rng)
    return model.eval()


def plain_loss(model, batch):
    """One reference step: (B, T, V) logits and torch's own mean over the trained targets."""
    logits = model(torch.from_numpy(batch.inputs))
    return F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(batch.targets).flatten(), ignore_index=-100)


def parrot(token):
    """A tiny model that always says the same token."""
    model = tiny_model()
    model.wte.weight.data[token] *= 10
    model.ln_f.bias.data = 10 * model.wte.weight.data[token].clone()
    return model


def save_model(model, folder):
    write_model(model, folder)
    return folder


def write_records(path, numbers):
    """One record a number: what comes after it."""
    records = [{"instruction": f"After {n}?", "input": "", "output": f"{n + 1}"} for n in numbers]
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def run_config(**options):
    """Of a run about whose data nobody asks."""
    data = RunData("data.json", "0" * 64, 20, SplitCounts(17, 1, 2, from_file=False))
    return RunConfig(TrainConfig(**options), "{{instruction}}{{output}}", data)


def plan_of(examples):
    """Of an evaluation that asked for all these, greedily."""
    side = SidePlan("model", "", Decoding(16))
    return EvaluationPlan(tuple(range(len(examples))), None, dict.fromkeys(Side, side))


def events_of(run, *, resume=False, stop=None, world=ALONE):
    """What training in this run folder says, as it is written down."""
    config = run.config.options
    dataset, template = load_dataset(config.data), load_template(config.template)
    events = train_events(run, config, dataset, template, stop or Stop(run), resume=resume, world=world)
    return logged(run.training, events)


@contextmanager
def signals_kept():
    """Give back the signals that `train` and `evaluate` take over."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
    kept = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


class Reply:
    """What the test server answers; `length` overrides Content-Length, to break a body off."""

    def __init__(self, body=b"", *, status=200, headers=(), length=None):
        self.body, self.status, self.headers = body, status, dict(headers)
        self.length = len(body) if length is None else length


@contextmanager
def serving(replies):
    """A web server on 127.0.0.1 for {path: Reply}; gives its address and the list of requests it saw."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.command, self.path))
            reply = replies.get(self.path, Reply(b"not here", status=404))
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(reply.length), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(reply.body)
            self.close_connection = True

        do_HEAD = do_GET  # noqa: N815 (http.server's name)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def closed_port():
    """An address where nobody answers."""
    with serving({}) as (address, _):
        return address


def ready(config, *, template="alpaca", rows=32):
    """The card of a run of 40 records that is about to start."""
    return run.ready(config, template=template, records=40, rows=rows, tokens_per_row=50.0)


class Tape:
    """Stands in for `CudaCapture`: nothing happens before the first replay, and all tensors keep their place."""

    def __init__(self, *, fails_at=None):
        self.recorded, self.replayed, self.plain, self.fails_at = 0, 0, 0, fails_at

    def run(self, work):
        self.plain += 1
        return work()

    def record(self, work):
        self.recorded += 1
        if self.recorded == self.fails_at:
            raise RuntimeError("operation not permitted when stream is capturing\nmore lines")

        def replay():
            self.replayed += 1
            return work()

        return replay
