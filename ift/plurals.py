"""Counts with their nouns and verbs in the right number, for messages, tables and the page."""

import re


def plural(n: int, one: str, more: str = "") -> str:
    """A count with its noun; `more` where the plural is not `one` with an s.

    >>> plural(1, "row"), plural(1200, "row"), plural(2, "match", "matches")
    ('1 row', '1,200 rows', '2 matches')
    """
    return f"{n:,} {one if n == 1 else more or one + 's'}"


def agree(n: int, text: str) -> str:
    """A text whose words come in pairs, in the form for so many.

    >>> agree(1, "row|rows that does|do not fit"), agree(2, "row|rows that does|do not fit")
    ('row that does not fit', 'rows that do not fit')
    """
    return re.sub(r"(\w+)\|(\w+)", r"\1" if n == 1 else r"\2", text)
