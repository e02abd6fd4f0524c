"""The boundary of prompt and response: where a tool that tokenizes texts whole trains other ids than it prompts by."""

from dataclasses import dataclass
from functools import lru_cache

from ift.data.chunks import first_chunk, last_chunk
from ift.data.tokenizer import encode_text, piece
from ift.types import Rendered

LONGEST_KEPT = 64
"""Characters; a longer chunk hardly comes again."""


@dataclass(frozen=True, slots=True)
class BoundaryChange:
    """The tokens around the boundary, as they are here and as whole-text encoding would make them.

    prompt, response: the last ids of the prompt and the first of the response, from the first to the last that is
    not the same (at least one each). whole: what stands in their place.
    """

    prompt: tuple[int, ...]
    response: tuple[int, ...]
    whole: tuple[int, ...]

    @property
    def label(self) -> str:
        """In pieces: `: · | Paris → : ·Paris`."""
        here = f"{_pieces(self.prompt)} | {_pieces(self.response)}"
        return f"{here} → {_pieces(self.whole)}"


def _pieces(ids: tuple[int, ...]) -> str:
    return " ".join(map(piece, ids))


def boundary_change(rendered: Rendered) -> BoundaryChange | None:
    """What whole-text encoding would change, or None where it has a token boundary in the same place.

    Only the chunks that touch the boundary are encoded: the others can't differ.
    """
    return change_between(last_chunk(rendered.prompt), first_chunk(rendered.response))


def change_between(tail: str, head: str) -> BoundaryChange | None:
    """The same from the prompt's last chunk and the response's first."""
    if len(tail) <= LONGEST_KEPT and len(head) <= LONGEST_KEPT:
        return _kept_change(tail, head)
    return _change(tail, head)


def _change(tail: str, head: str) -> BoundaryChange | None:
    prompt, response, whole = encode_text(tail), encode_text(head), encode_text(tail + head)
    if prompt + response == whole:
        return None
    same = 0
    while same < len(prompt) - 1 and prompt[same] == whole[same]:
        same += 1
    prompt, whole = prompt[same:], whole[same:]
    while len(response) > 1 and len(whole) > 1 and response[-1] == whole[-1]:
        response, whole = response[:-1], whole[:-1]
    return BoundaryChange(tuple(prompt), tuple(response), tuple(whole))


_kept_change = lru_cache(maxsize=2**16)(_change)
