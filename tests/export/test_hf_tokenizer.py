"""The merges that ship are those of the ranks that ship."""

from ift.data.tokenizer import encoding
from ift.export.hf_tokenizer import merges, printable_bytes, vocabulary


def test_there_is_one_merge_for_each_token_of_several_bytes_and_it_makes_that_token():
    tokens = [token for token, token_id in vocabulary().items() if 256 <= token_id < 50_256]
    assert ["".join(pair) for pair in merges()] == tokens


def test_a_merge_is_the_last_step_of_encoding_the_token_with_those_of_lower_rank():
    of_character = {character: byte for byte, character in printable_bytes().items()}
    ranks = {encoding().decode_single_token_bytes(rank): rank for rank in range(50_256)}
    for pair in merges()[::97]:
        left, right = (bytes(map(of_character.__getitem__, part)) for part in pair)
        assert last_merge(left + right, ranks) == (left, right)


def last_merge(token, ranks):
    """Merge the two neighbors of lowest rank, below the token's own, until two are left."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        found = [ranks.get(parts[i] + parts[i + 1], ranks[token]) for i in range(len(parts) - 1)]
        first = found.index(min(found))
        parts[first : first + 2] = [parts[first] + parts[first + 1]]
    return tuple(parts)
