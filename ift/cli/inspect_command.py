"""`inspect`: what the token ids and labels of any trainer train."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from ift.audit.tokenized_audit import CODES, TokenizedReport, audit
from ift.cli.finding_lines import finding_lines
from ift.data.formats import read_content
from ift.data.tokenized_rows import RowProblem, TokenizedRow, read_rows
from ift.errors import ConfigError, DataError
from ift.plurals import plural
from ift.types import IGNORE_INDEX

MAX_UNPACKED_BYTES = 2**32
SHOWN_PROBLEMS = 20


def add(command: ArgumentParser) -> None:
    """The options."""
    command.add_argument("file", metavar="FILE", help="JSON Lines or Parquet with input_ids and labels, not shifted")
    text = "gpt2, a folder with tokenizer.json, or such a file (gpt2)"
    command.add_argument("--tokenizer", default="gpt2", metavar="NAME", help=text)
    text = "a token that ends a text, where the tokenizer's folder names another; may be given again"
    command.add_argument("--eos_token", action="append", default=[], metavar="TOKEN", help=text)
    text = "the token of padding, where rows have no attention_mask and the tokenizer's folder names another"
    command.add_argument("--pad_token", default="", metavar="TOKEN", help=text)
    command.add_argument("--rows", default="", metavar="N,…", help="also print these rows, token by token")
    text = f"exit with 1 where one of these is found: any, warning, or codes with commas: {', '.join(CODES)}"
    command.add_argument("--fail_on", default="", metavar="CODES", help=text)


def run(args: Namespace) -> int:
    """`inspect`: 0, or 1 where `--fail_on` names something that was found, or 2 where rows can't be read."""
    from ift.audit.other_tokenizer import load_tokenizer

    fail_on = _codes(args.fail_on)
    tokenizer = load_tokenizer(args.tokenizer, eos_tokens=tuple(args.eos_token), pad_token=args.pad_token)
    rows = _read(args.file, tokenizer.special.pad, tokenizer.special.eos)
    shown = [_row_at(rows, text) for text in args.rows.split(",") if text.strip()]
    report = audit(rows, tokenizer.special)
    print(json.dumps(_as_json(report), ensure_ascii=False) if args.json else _as_text(report))
    for number, row in shown:
        print(_row_text(number, row, tokenizer.piece))
    if report.problems:
        return 2
    return int(any({finding.code, finding.severity.value, "any"} & fail_on for finding in report.findings))


def _codes(text: str) -> frozenset[str]:
    codes = frozenset(word.strip() for word in text.split(",") if word.strip())
    unknown = sorted(codes - {*CODES, "warning", "note", "any"})
    if unknown:
        fix = f"Use any, warning, or some of {', '.join(CODES)}."
        raise ConfigError(f"{unknown[0]!r} is no finding", where="fail_on", fix=fix)
    return codes


def _read(name: str, pad_id: int | None, eos_ids: frozenset[int]) -> list[TokenizedRow | RowProblem]:
    try:
        raw = Path(name).read_bytes()
    except OSError as error:
        raise DataError(f"The file can't be read: {error.strerror}", where=name, fix="Use a file of rows.") from error
    content = read_content(raw, name=name, max_unpacked_bytes=MAX_UNPACKED_BYTES)
    values = (row.value if isinstance(row.value, dict) else {} for row in content.rows)
    return list(read_rows(values, pad_id=pad_id, eos_ids=eos_ids))


def _row_at(rows: list[TokenizedRow | RowProblem], text: str) -> tuple[int, TokenizedRow | RowProblem]:
    number = int(text) if text.strip().isdecimal() and len(text) < 10 else -1
    if not 0 <= number < len(rows):
        fix = f"Use positions from 0 to {len(rows) - 1} with commas."
        raise ConfigError(f"{text.strip()[:20]!r} is no row of the file", where="rows", fix=fix)
    return number, rows[number]


def _as_json(report: TokenizedReport) -> dict[str, object]:
    findings = [finding.to_dict() for finding in report.findings]
    return {
        "rows": report.rows,
        "tokens": report.tokens,
        "longest": report.longest,
        "trained": report.trained,
        "trained_share": report.trained_share,
        "problems": [asdict(problem) for problem in report.problems],
        "findings": findings,
    }


def _as_text(report: TokenizedReport) -> str:
    share = f"{report.trained:,} of {plural(report.tokens, 'token')} trained ({report.trained_share:.1%})"
    lines = [f"{plural(report.rows, 'row')}; longest {plural(report.longest, 'token')}; {share}"]
    lines += [f"row {one.row}: {one.field} {one.problem}" for one in report.problems[:SHOWN_PROBLEMS]]
    if len(report.problems) > SHOWN_PROBLEMS:
        lines.append(f"… and {len(report.problems) - SHOWN_PROBLEMS:,} more rows that can't be read")
    found = finding_lines(report.findings) if report.findings or not report.problems else []
    return "\n".join([*lines, *found])


def _row_text(number: int, row: TokenizedRow | RowProblem, piece: Callable[[int], str]) -> str:
    if isinstance(row, RowProblem):
        return f"row {number} can't be read: {row.field} {row.problem}"
    lines = [f"row {number}", f"{'t':>5} {'id':>7} {'label':>7}  token"]
    for t, (token, label, real) in enumerate(
        zip(row.ids.tolist(), row.labels.tolist(), row.real.tolist(), strict=True)
    ):
        mark = "" if label == IGNORE_INDEX else "  trained"
        lines.append(f"{t:>5} {token:>7} {label:>7}  {piece(token) if real else '(padding)'}{mark}")
    return "\n".join(lines)
