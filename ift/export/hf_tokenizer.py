"""GPT-2's tokenizer as Hugging Face keeps it, made from the ranks and merges that ship with the project.

tiktoken stores each token's bytes with its rank. Hugging Face stores the same vocabulary in printable characters
(each byte is one, `Ġ` for a space), and beside it the merges: which two tokens become which third. A token's rank is
its id, and its merge is the last step of byte-pair encoding its own bytes with only the tokens of lower rank. To find
that for all tokens takes longer than to save a model, so `assets/tokenizer/merges.txt` holds what was found.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ift.data.tokenizer import encoding
from ift.paths import ASSETS
from ift.types import EOS_ID

EOS = "<|endoftext|>"
TOKENIZER_BYTES = 3_200_000
"""What `write_tokenizer` takes on disk, about."""


@lru_cache(maxsize=1)
def printable_bytes() -> Mapping[int, str]:
    """The printable character that stands for each of the 256 bytes, `bytes_to_unicode` of OpenAI's GPT-2."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}


@lru_cache(maxsize=1)
def vocabulary() -> Mapping[str, int]:
    """Each token in printable characters → its id, in the order of the ids, `<|endoftext|>` last."""
    return {_printable(token): token_id for token, token_id in _ranks().items()} | {EOS: EOS_ID}


@lru_cache(maxsize=1)
def merges() -> tuple[tuple[str, str], ...]:
    """The two tokens that each token of more than one byte is merged from, in the order of its ranks."""
    pairs = (line.split(" ") for line in _merges_text().splitlines()[1:])  # no token has a plain space in it
    return tuple((left, right) for left, right in pairs)


def write_tokenizer(folder: Path, *, n_positions: int, chat_template: str | None = None) -> None:
    """Write vocab.json, merges.txt, tokenizer.json and tokenizer_config.json, as `AutoTokenizer` reads them.

    Args:
        folder: an existing folder, usually that of the weights.
        n_positions: the model's context, in tokens.
        chat_template: Jinja text for chat_template.jinja, or None for no such file.
    """
    for name, text in _static_files().items():
        _write(folder / name, text)
    config = {
        "tokenizer_class": "GPT2Tokenizer",
        "model_max_length": n_positions,
        "add_prefix_space": False,
        "add_bos_token": False,
        "clean_up_tokenization_spaces": False,
        **dict.fromkeys(("bos_token", "eos_token", "pad_token", "unk_token"), EOS),
    }
    _write(folder / "tokenizer_config.json", json.dumps(config, indent=2) + "\n")
    if chat_template is not None:
        _write(folder / "chat_template.jinja", chat_template)


@lru_cache(maxsize=1)
def _static_files() -> Mapping[str, str]:
    """The files that are the same for every model of this vocabulary: name → text."""
    return {
        "vocab.json": json.dumps(vocabulary(), ensure_ascii=False),
        "merges.txt": _merges_text(),
        "tokenizer.json": json.dumps(_tokenizer_json(), ensure_ascii=False),
    }


def _tokenizer_json() -> dict[str, object]:
    """The format of the `tokenizers` library."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    special = {"id": EOS_ID, "content": EOS, "special": True}
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [special | plain],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary(),
            "merges": [list(pair) for pair in merges()],
        },
    }


@lru_cache(maxsize=1)
def _merges_text() -> str:
    return (ASSETS / "tokenizer" / "merges.txt").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _ranks() -> Mapping[bytes, int]:
    """The bytes of each token but `<|endoftext|>`, in the order of the ids."""
    return {encoding().decode_single_token_bytes(token_id): token_id for token_id in range(EOS_ID)}


def _printable(token: bytes) -> str:
    return "".join(map(printable_bytes().__getitem__, token))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
