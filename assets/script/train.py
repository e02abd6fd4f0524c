"""Fine-tune a GPT-2 to follow instructions, in plain PyTorch. It needs torch, numpy and tiktoken, and nothing else.

Beside this file: records.json, the training split; model.safetensors, the weights to begin with; gpt2.tiktoken, the
vocabulary. Steps, in the order of the file: options, format, tokenize, shift and pad and mask, the model, training.
"""

import json
import math
from pathlib import Path

import numpy as np
import tiktoken
import torch
import torch.nn.functional as F
from tiktoken.load import load_tiktoken_bpe
from tiktoken_ext.openai_public import r50k_pat_str

FOLDER = Path(__file__).parent if "__file__" in globals() else Path.cwd()

# %% Options of this run
HEADS = 12
LAYERS = 12
EPSILON = 1e-5
LAYOUT = {"without_input": [], "with_input": []}  # [text or the name of a field, role, whether it is a field]
WEIGHTS = {"response": 1.0, "eos": 1.0}  # what a token of each role weighs in the loss; all other targets are masked
AHEAD = 1  # the target at t is the token at t + 1: the sequence moved one place to the left
MAX_LENGTH = 1024
ROWS_PER_BATCH = 8
BATCHES_PER_STEP = 1
STEPS = 100
WARMUP_STEPS = 0
SCHEDULE = "linear"
LEARNING_RATE = 5e-5
WEIGHT_DECAY = 0.0
MAX_GRAD_NORM = 1.0
SEED = 123

# %% Format and tokenize: prompt and response apart, so that the prompt is what the model is asked later
EOS = 50256
RANKS = load_tiktoken_bpe(str(FOLDER / "gpt2.tiktoken"))
ENCODING = tiktoken.Encoding("gpt2", pat_str=r50k_pat_str, mergeable_ranks=RANKS, special_tokens={"<|endoftext|>": EOS})


def encode(record):
    """A record's ids and the role of each; a token across two parts of the prompt has the role of its last byte."""
    parts = [
        (record[text] if is_field else text, role)
        for text, role, is_field in LAYOUT["with_input" if record["input"] else "without_input"]
    ]
    prompt = [part for part in parts if part[1] != "response"]
    ids = ENCODING.encode_ordinary("".join(text for text, _ in prompt))
    part_ends = np.cumsum([len(text.encode()) for text, _ in prompt])
    token_ends = np.cumsum([len(ENCODING.decode_single_token_bytes(token)) for token in ids])
    roles = [prompt[i][1] for i in np.searchsorted(part_ends, token_ends)]
    answer = ENCODING.encode_ordinary("".join(text for text, role in parts if role == "response"))
    return ids + answer + [EOS], roles + ["response"] * len(answer) + ["eos"]


# %% Shift, pad, mask
def pair_count(ids):
    """How many (input, target) pairs a row gives."""
    return min(len(ids) - 1, MAX_LENGTH)


def collate(rows):
    """Inputs, targets and the weight of each target, (B, T) each; padding is end-of-text, with the weight of `pad`."""
    B, T = len(rows), max(pair_count(ids) for ids, _ in rows)
    inputs, targets = torch.full((B, T), EOS), torch.full((B, T), EOS)
    weights = torch.full((B, T), WEIGHTS.get("pad", 0.0))
    for b, (ids, roles) in enumerate(rows):
        n = pair_count(ids)
        inputs[b, :n] = torch.tensor(ids[:n])
        targets[b, :n] = torch.tensor(ids[AHEAD:][:n])
        weights[b, :n] = torch.tensor([WEIGHTS.get(role, 0.0) for role in roles[AHEAD:][:n]])
    return inputs, targets, weights


def has_target(row):
    """Whether a row trains anything after the cut."""
    ids, roles = row
    return any(WEIGHTS.get(role) for role in roles[1 : pair_count(ids) + 1])


def steps(count, size):
    """The positions of each step's rows: shuffled anew each epoch."""
    epoch = 0
    while True:
        order = np.random.default_rng([SEED, epoch]).permutation(count)
        yield from (order[i : i + size].tolist() for i in range(0, count, size))
        epoch += 1


# %% The model: GPT-2, its weights under Hugging Face's names
def read_weights(path):
    """A safetensors file: 8 bytes with the header's size, the header in JSON, and the numbers."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    weights = {}
    for name, entry in header.items():
        first, last = (start + offset for offset in entry["data_offsets"])
        weights[name] = torch.frombuffer(bytearray(raw[first:last]), dtype=torch.float32).view(entry["shape"])
    return weights


W = {name: weight.requires_grad_() for name, weight in read_weights(FOLDER / "model.safetensors").items()}


def norm(x, name):
    """Layer norm."""
    return F.layer_norm(x, x.shape[-1:], W[f"{name}.weight"], W[f"{name}.bias"], EPSILON)


def linear(x, name):
    """GPT-2 keeps its matrices as (in, out)."""
    return x @ W[f"{name}.weight"] + W[f"{name}.bias"]


def logits(inputs):
    """(B, T) → (B, T, V)."""
    B, T = inputs.shape
    x = W["wte.weight"][inputs] + W["wpe.weight"][:T]
    for h in (f"h.{layer}" for layer in range(LAYERS)):
        heads = linear(norm(x, f"{h}.ln_1"), f"{h}.attn.c_attn").view(B, T, 3, HEADS, -1)
        q, k, v = heads.permute(2, 0, 3, 1, 4)  # (B, H, T, D) each
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, -1)
        x = x + linear(y, f"{h}.attn.c_proj")
        x = x + linear(F.gelu(linear(norm(x, f"{h}.ln_2"), f"{h}.mlp.c_fc"), approximate="tanh"), f"{h}.mlp.c_proj")
    return norm(x, "ln_f") @ W["wte.weight"].T  # the head is the embedding


# %% Training
def learning_rate(step):
    """A rise over the warmup, then constant, or falling to 0 after the last step."""
    if step <= WARMUP_STEPS:
        return LEARNING_RATE * step / WARMUP_STEPS
    left = (STEPS - step + 1) / max(1, STEPS - WARMUP_STEPS)
    return LEARNING_RATE * {"constant": 1, "linear": left, "cosine": (1 - math.cos(math.pi * left)) / 2}[SCHEDULE]


rows = [encode(record) for record in json.loads((FOLDER / "records.json").read_text(encoding="utf-8"))]
rows = [row for row in rows if has_target(row)]
order = steps(len(rows), ROWS_PER_BATCH * BATCHES_PER_STEP)
optimizer = torch.optim.AdamW(W.values(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True)
for step in range(1, STEPS + 1):
    chosen = [rows[i] for i in next(order)]
    batches = [collate(chosen[i : i + ROWS_PER_BATCH]) for i in range(0, len(chosen), ROWS_PER_BATCH)]
    total = sum(weights.sum() for _, _, weights in batches)
    loss = 0.0
    for inputs, targets, weights in batches:
        each = F.cross_entropy(logits(inputs).flatten(0, 1), targets.flatten(), reduction="none")
        part = (each * weights.flatten()).sum() / total  # the mean over all targets of the step
        part.backward()
        loss += part.item()
    if MAX_GRAD_NORM:
        torch.nn.utils.clip_grad_norm_(W.values(), MAX_GRAD_NORM)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(step)
    optimizer.step()
    optimizer.zero_grad()
    print(f"step {step} of {STEPS}: loss {loss:.6f}", flush=True)
