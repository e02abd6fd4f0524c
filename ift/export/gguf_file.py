"""A model as one GGUF file, as llama.cpp, Ollama and LM Studio read it: weights, tokenizer and chat template.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, and llama.cpp's own converter of GPT-2.
"""

from pathlib import Path
from typing import Literal, TypeAlias

import gguf
import numpy as np
import numpy.typing as npt
import torch
from gguf import GGMLQuantizationType as Kind

from ift.data.templates import Template
from ift.errors import ConfigError
from ift.export.chat_template import jinja_template
from ift.export.hf_tokenizer import merges, vocabulary
from ift.model.gpt2 import GPT2
from ift.model.lora import merged_weight
from ift.types import EOS_ID

OutType: TypeAlias = Literal["f32", "f16", "q8_0"]
"""How a file keeps the matrices; vectors and positions stay fp32."""
OUT_TYPES: dict[OutType, tuple[Kind, gguf.LlamaFileType]] = {
    "f32": (Kind.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (Kind.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (Kind.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
_LAYERS = {
    "ln_1": "attn_norm",
    "qkv": "attn_qkv",
    "proj": "attn_output",
    "ln_2": "ffn_norm",
    "fc": "ffn_up",
    "out": "ffn_down",
}


def write_gguf(model: GPT2, path: Path, template: Template, *, name: str, outtype: OutType = "f16") -> None:
    """Write the file; what LoRA adds to the weights is merged.

    Args:
        model: any of this project's.
        path: the file, usually `….gguf`.
        template: the run's own, for the chat template inside.
        name: what programs show for the model.
        outtype: fp32, fp16, or 8 bits with one fp16 scale for 32 weights.

    Raises:
        ConfigError: rows of this model's matrices are no whole number of blocks of 32, for `q8_0`.
    """
    if outtype == "q8_0" and model.config.n_embd % gguf.GGML_QUANT_SIZES[Kind.Q8_0][0]:
        where = f"outtype q8_0, n_embd {model.config.n_embd}"
        raise ConfigError("This model's rows can't be cut into blocks of 32", where=where, fix="Use f16.")
    kind, file_type = OUT_TYPES[outtype]
    writer = gguf.GGUFWriter(path, "gpt2")
    _add_shape(writer, model, name, file_type)
    _add_tokenizer(writer, template)
    for ours, theirs in _names(model.config.n_layer).items():
        tensor = merged_weight(model, ours).detach().to("cpu", torch.float32).numpy()
        _add_tensor(writer, theirs, tensor, kind if tensor.ndim == 2 and ours != "wpe.weight" else Kind.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _names(n_layer: int) -> dict[str, str]:
    """Our name of every tensor → GGUF's."""
    names = {"wte.weight": "token_embd.weight", "wpe.weight": "position_embd.weight"}
    pairs = [
        ("ln_f", "output_norm"),
        *((f"h.{i}.{a}", f"blk.{i}.{b}") for i in range(n_layer) for a, b in _LAYERS.items()),
    ]
    return names | {f"{ours}.{part}": f"{theirs}.{part}" for ours, theirs in pairs for part in ("weight", "bias")}


def _add_shape(writer: gguf.GGUFWriter, model: GPT2, name: str, file_type: gguf.LlamaFileType) -> None:
    config = model.config
    writer.add_name(name)
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_feed_forward_length(4 * config.n_embd)
    writer.add_block_count(config.n_layer)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    writer.add_file_type(file_type)


def _add_tokenizer(writer: gguf.GGUFWriter, template: Template) -> None:
    tokens = list(vocabulary())
    kinds = [gguf.TokenType.NORMAL] * EOS_ID + [gguf.TokenType.CONTROL]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(pair) for pair in merges()])
    writer.add_bos_token_id(EOS_ID)
    writer.add_eos_token_id(EOS_ID)
    writer.add_pad_token_id(EOS_ID)
    writer.add_add_bos_token(False)
    writer.add_chat_template(jinja_template(template, marks_answer=False))


def _add_tensor(writer: gguf.GGUFWriter, name: str, tensor: npt.NDArray[np.float32], kind: Kind) -> None:
    if kind is Kind.F32:
        writer.add_tensor(name, tensor)
    else:
        writer.add_tensor(name, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
