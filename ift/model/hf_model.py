"""A model's folder in Hugging Face's format ↔ our GPT-2. safetensors and JSON only: loading can run no code."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from ift.errors import ModelError
from ift.model.gpt2 import GPT2
from ift.model.gpt2_config import GPT2Config
from ift.model.lora import merged_weight
from ift.types import EOS_ID

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
HEAD, EMBEDDING = "lm_head.weight", "wte.weight"
HEAD_ROWS = 4096
"""Rows of a head that are compared at a time."""
MOST_TOKENS = 51_200
"""Rows of an embedding, at most: GPT-2's and those that were added for special tokens or for alignment."""
_MOST = {"n_positions": 1_000_000, "n_embd": 65_536, "n_layer": 1_000, "n_head": 1_000}
"""What a config.json may say; more would be a mistake, and takes minutes before it fails."""

HF_LAYERS = {
    "ln_1": "ln_1",
    "attn.c_attn": "qkv",
    "attn.c_proj": "proj",
    "ln_2": "ln_2",
    "mlp.c_fc": "fc",
    "mlp.c_proj": "out",
}
"""A block's layers: Hugging Face's name → ours."""
_TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
"""GPT-2's Conv1D keeps (in, out), a torch Linear (out, in)."""


def hf_names(config: GPT2Config) -> dict[str, str]:
    """Hugging Face's name of every tensor, without the `transformer.` prefix → ours."""
    parts = ("weight", "bias")
    names = {name: name for name in ("wte.weight", "wpe.weight", "ln_f.weight", "ln_f.bias")}
    for i in range(config.n_layer):
        names |= {
            f"h.{i}.{theirs}.{part}": f"h.{i}.{ours}.{part}" for theirs, ours in HF_LAYERS.items() for part in parts
        }
    return names


def read_config(folder: Path) -> GPT2Config:
    """The shape in a folder's config.json.

    Tokens that were added to GPT-2's are not in it: no text here becomes one, and nothing here writes one.

    Raises:
        ModelError: it is missing or damaged, or the model is not a GPT-2 as this project knows it.
    """
    path = folder / "config.json"
    _require_whole_model(folder)
    try:
        raw = json.loads(_text(path))
        config = GPT2Config(**{f.name: raw.get(f.name, f.default) for f in dataclasses.fields(GPT2Config)})
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        fix = "Use a folder with config.json and model.safetensors, as transformers saves them."
        raise ModelError("The model's config.json can't be read", where=str(path), fix=fix) from error
    _check_counts(config, path)
    different = {
        "model_type": raw.get("model_type") != "gpt2",
        "activation_function": raw.get("activation_function", "gelu_new") not in ("gelu_new", "gelu_pytorch_tanh"),
        "tie_word_embeddings": raw.get("tie_word_embeddings", True) is not True,
        "scale_attn_by_inverse_layer_idx": bool(raw.get("scale_attn_by_inverse_layer_idx", False)),
        "n_inner": raw.get("n_inner") not in (None, 4 * config.n_embd),
        "vocab_size": type(config.vocab_size) is not int or not EOS_ID < config.vocab_size <= MOST_TOKENS,
    }
    wrong = [name for name, is_different in different.items() if is_different]
    if wrong:
        where = f"{path}: {', '.join(f'{name} = {raw.get(name)!r}' for name in wrong)}"
        fix = "Only GPT-2 with its own 50,257-token vocabulary is supported: gpt2, gpt2-medium, gpt2-large, gpt2-xl."
        raise ModelError("This is another architecture than GPT-2's", where=where, fix=fix)
    return dataclasses.replace(config, vocab_size=EOS_ID + 1)


def _require_whole_model(folder: Path) -> None:
    """Name what a folder is that holds a model in another form, which fetching it again would not change.

    Raises:
        ModelError: it holds a PEFT adapter only, or weights as a pickle only.
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if "adapter_config.json" in names and "config.json" not in names:
        fix = "Merge it into its base model with PEFT: merge_and_unload(), then save_pretrained(folder)."
        raise ModelError("This is a PEFT adapter, not a model", where=str(folder), fix=fix)
    if "config.json" in names and not {WEIGHTS, INDEX} & names and any(name.endswith(".bin") for name in names):
        fix = "Save it with transformers: AutoModelForCausalLM.from_pretrained(folder).save_pretrained(other_folder)."
        what = "The weights are a pickle (.bin), which could run code and is never read"
        raise ModelError(what, where=str(folder), fix=fix)


def _check_counts(config: GPT2Config, path: Path) -> None:
    counts: dict[str, object] = {name: getattr(config, name) for name in ("n_positions", "n_embd", "n_layer", "n_head")}
    wrong = [name for name, count in counts.items() if type(count) is not int or not 1 <= count <= _MOST[name]]
    epsilon = config.layer_norm_epsilon
    if not isinstance(epsilon, int | float) or not 0 < epsilon < 1:
        counts["layer_norm_epsilon"] = epsilon
        wrong.append("layer_norm_epsilon")
    if not wrong and config.n_embd % config.n_head:
        wrong = ["n_embd", "n_head"]  # every head takes its equal share of the channels
    if wrong:
        where = f"{path}: {', '.join(f'{name} = {counts[name]!r}' for name in wrong)}"
        raise ModelError("The model's config.json can't be true", where=where, fix="Fetch the model again.")


def read_model(folder: Path) -> GPT2:
    """A model from its folder, in fp32 on the CPU, tensor by tensor: no second copy of the weights.

    Raises:
        ModelError: a file is missing or damaged, a tensor is missing, of another shape, or not finite.
    """
    config = read_config(folder)
    with torch.device("meta"):
        model = GPT2(config)
    model.load_state_dict(dict(read_weights(folder, config)), assign=True)
    return model.requires_grad_()


def read_weights(folder: Path, config: GPT2Config) -> Iterator[tuple[str, torch.Tensor]]:
    """Our name and value of each tensor of a model of this shape, fp32 on the CPU, one after the other.

    Raises:
        ModelError: as `read_model`; that tensors are missing shows at the end.
    """
    wanted = hf_names(config)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in GPT2(config).state_dict().items()}
    found = set()
    for path, name in _names(folder):
        short = name.removeprefix("transformer.")
        if short not in wanted:
            _require_known_layer(short, config, where=f"{path}, tensor {name}")
            continue  # attn.bias and attn.masked_bias are mask buffers; the head is looked at below
        rows = config.vocab_size if short == EMBEDDING else None
        tensor = _read_tensor(path, name, is_turned=short.endswith(_TRANSPOSED), rows=rows)
        if tensor.shape != shapes[wanted[short]]:
            where, fix = f"{path}, tensor {name}", "config.json says otherwise."
            raise ModelError(f"A tensor has the shape {tuple(tensor.shape)}", where=where, fix=fix)
        if not all(torch.isfinite(end) for end in torch.aminmax(tensor)):  # isfinite of the whole would be a copy more
            fix = "The file is damaged or its training diverged: use another checkpoint."
            raise ModelError("The weights hold NaN or infinity", where=f"{path}, tensor {name}", fix=fix)
        found.add(short)
        yield wanted[short], tensor
    missing = [name for name in wanted if name not in found]
    if missing:
        where = f"{folder}: {missing[0]} and {len(missing) - 1} more" if len(missing) > 1 else f"{folder}: {missing[0]}"
        raise ModelError("Tensors are missing", where=where, fix="The file is incomplete: fetch it again.")
    _require_tied_head(folder, config)


def _require_tied_head(folder: Path, config: GPT2Config) -> None:
    """Where a file has a head, it must be the embedding: another one would be left out, and every answer be wrong."""
    places = {name.removeprefix("transformer."): (path, name) for path, name in _names(folder)}
    if HEAD not in places:
        return
    (head_path, head_name), (path, name) = places[HEAD], places[EMBEDDING]
    with safe_open(head_path, framework="pt") as head_file, safe_open(path, framework="pt") as file:
        head, embedding = head_file.get_slice(head_name), file.get_slice(name)
        starts = range(0, config.vocab_size, HEAD_ROWS)
        parts = (slice(first, min(first + HEAD_ROWS, config.vocab_size)) for first in starts)
        is_tied = all(torch.equal(head[rows], embedding[rows]) for rows in parts)
    if not is_tied:
        fix = "Only a GPT-2 whose head is its embedding (tie_word_embeddings) is supported: tie it, and train again."
        where = f"{head_path}, tensor {head_name}"
        raise ModelError("The model has a head of its own, apart from its embedding", where=where, fix=fix)


def _require_known_layer(short: str, config: GPT2Config, *, where: str) -> None:
    layer = re.match(r"h\.(\d+)\.", short)
    if layer and int(layer[1]) >= config.n_layer:
        fix = f"config.json says n_layer = {config.n_layer}: put the one back that came with the weights."
        raise ModelError("The weights have more layers than config.json says", where=where, fix=fix)


def _names(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in _files(folder):
        try:
            if path.exists() and not path.is_file():
                raise OSError("not a regular file")  # a pipe or a device would be read without end
            with safe_open(path, framework="pt") as file:
                names = list(file.keys())
        except (OSError, SafetensorError) as error:
            fix = "The file is missing, cut or not safetensors: fetch it again."
            raise ModelError("The weights can't be read", where=str(path), fix=fix) from error
        yield from ((path, name) for name in names)


def _read_tensor(path: Path, name: str, *, is_turned: bool, rows: int | None = None) -> torch.Tensor:
    """A tensor in memory of its own; the file's pages, which count as this process's memory too, are let go of."""
    with safe_open(path, framework="pt") as file:
        mapped = file.get_tensor(name)[:rows]
        turned = mapped.t() if is_turned and mapped.dim() == 2 else mapped
        return turned.to(torch.float32, memory_format=torch.contiguous_format, copy=True)


def _files(folder: Path) -> list[Path]:
    if not (folder / INDEX).is_file():
        return [folder / WEIGHTS]
    try:
        index = json.loads(_text(folder / INDEX))
        return [folder / Path(name).name for name in sorted(set(index["weight_map"].values()))]
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError(
            "The index of the weights can't be read", where=str(folder / INDEX), fix="Fetch it again."
        ) from error


def _text(path: Path) -> str:
    """A small file's text; what is no file, a pipe say, would be waited for without end."""
    if path.exists() and not path.is_file():
        raise OSError("not a regular file")
    return path.read_text(encoding="utf-8")


def write_model(model: GPT2, folder: Path, *, half: bool = False) -> None:
    """Write config.json, generation_config.json and model.safetensors in fp32, or in fp16; `folder` exists.

    LoRA's products are merged into what is written.
    """
    _write_weights(model, folder / WEIGHTS, torch.float16 if half else torch.float32)
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), EOS_ID)
    config = {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        **dataclasses.asdict(model.config),
        "activation_function": "gelu_new",
        "tie_word_embeddings": True,
        **special,
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "generation_config.json").write_text(json.dumps(special, indent=2) + "\n", encoding="utf-8")


@torch.no_grad()
def _write_weights(model: GPT2, path: Path, dtype: torch.dtype) -> None:
    """A safetensors file, tensor by tensor: turned and merged weights of a whole model would be a second copy.

    Source: https://github.com/huggingface/safetensors, "Format".
    """
    names = hf_names(model.config)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for theirs, ours in names.items():
        shape = model.get_parameter(ours).shape
        begin, end = end, end + shape.numel() * dtype.itemsize
        turned = reversed(shape) if theirs.endswith(_TRANSPOSED) else shape
        kind = "F16" if dtype == torch.float16 else "F32"
        header[theirs] = {"dtype": kind, "shape": list(turned), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # so that the tensors are aligned
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for theirs, ours in names.items():
            tensor = merged_weight(model, ours).to("cpu", dtype)
            stored = tensor.t() if theirs.endswith(_TRANSPOSED) else tensor
            file.write(stored.contiguous().numpy().data)
