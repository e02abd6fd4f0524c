"""The tokenizer of rows that another trainer made: its special ids, and the text of an id."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from ift.audit.tokenized_audit import SpecialIds
from ift.data.tokenizer import piece
from ift.errors import ConfigError
from ift.types import EOS_ID

_USUAL_EOS = (
    "<|endoftext|>",
    "</s>",
    "<|im_end|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<eos>",
    "<end_of_turn>",
    "<|end|>",
)
"""What ends a text in the tokenizers of most models, where only a tokenizer.json is there to ask."""
_FIX = "Use gpt2, a folder that has tokenizer.json, or such a file."


@dataclass(frozen=True, slots=True)
class OtherTokenizer:
    """special: the ids with a meaning of their own. piece: the text of an id as a label, as `ift.data.tokenizer`."""

    special: SpecialIds
    piece: Callable[[int], str]


def load_tokenizer(name: str, *, eos_tokens: tuple[str, ...] = (), pad_token: str = "") -> OtherTokenizer:
    """A tokenizer by `gpt2`, its folder, or its tokenizer.json.

    Args:
        name: which.
        eos_tokens: the tokens that end a text, where the folder's tokenizer_config.json names others or none.
        pad_token: the token of padding, likewise.

    Raises:
        ConfigError: it can't be read, has no such token, or names none that ends a text.
    """
    if name == "gpt2":
        return OtherTokenizer(SpecialIds(frozenset({EOS_ID}), None, EOS_ID, EOS_ID + 1), _gpt2_piece)
    path = Path(name) / "tokenizer.json" if Path(name).is_dir() else Path(name)
    try:
        read = Tokenizer.from_file(str(path))
    except Exception as error:  # the library's own class is Exception
        raise ConfigError(f"The tokenizer can't be read: {error}", where=str(path), fix=_FIX) from error
    config = _config(path.parent / "tokenizer_config.json")
    usual = tuple(token for token in _USUAL_EOS if read.token_to_id(token) is not None)
    eos = eos_tokens or _names(config.get("eos_token")) or usual
    if not eos:
        fix = "Name it with --eos_token."
        raise ConfigError("The tokenizer does not say which token ends a text", where=str(path), fix=fix)
    pads = (pad_token,) if pad_token else _names(config.get("pad_token"))
    bos = _names(config.get("bos_token"))
    special = SpecialIds(
        eos=frozenset(_id(read, token, path) for token in eos),
        bos=_id(read, bos[0], path) if bos and bos[0] not in eos else None,
        pad=_id(read, pads[0], path) if pads else None,
        size=read.get_vocab_size(),
    )
    return OtherTokenizer(special, lambda token: _visible(read.id_to_token(token), token))


def _gpt2_piece(token: int) -> str:
    return piece(token) if token <= EOS_ID else f"<{token}?>"


def _config(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _names(value: object) -> tuple[str, ...]:
    """A special token as tokenizer_config.json has it: text, or an object with its content."""
    text = value.get("content") if isinstance(value, dict) else value
    return (text,) if isinstance(text, str) and text else ()


def _id(tokenizer: Tokenizer, token: str, path: Path) -> int:
    found = tokenizer.token_to_id(token)
    if found is None:
        raise ConfigError(f"The tokenizer has no token {token!r}", where=str(path), fix="Name one that it has.")
    return int(found)


def _visible(token: str | None, token_id: int) -> str:
    if token is None:
        return f"<{token_id}?>"
    return token.replace("Ġ", "·").replace("▁", "·").replace("Ċ", "↵")
