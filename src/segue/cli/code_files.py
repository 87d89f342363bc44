"""Files with codes of coupons: a code a line, or a table with a column of codes, as shops write them out."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from segue.cli.ending import USAGE, fail

LONGEST: Final = 200
"""Letters of a code."""
_SEPARATORS: Final = ",;\t"
_HEADS: Final = ("code", "coupon code", "discount code", "promo code", "voucher code", "coupon", "voucher", "promocode")
"""What the column of codes is called; the first of these that there is."""


def read_codes(file: Path) -> Iterator[str]:
    """The codes of a file; empty lines are passed over. Ends the command where it holds something else."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            first = next((line for line in lines if line.strip()), "")
            head = _column(first)
            if head is None:
                yield from _each(file, enumerate(chain([first], lines), 1))
            else:
                separator, place = head
                rows = csv.reader(lines, delimiter=separator or ",")
                yield from _each(
                    file, ((number, row[place] if len(row) > place else "") for number, row in enumerate(rows, 2))
                )
    except OSError as error:
        fail(f"{file}: {error.strerror or error}", USAGE)
    except UnicodeDecodeError:
        fail(f"{file}: this is not UTF-8 text; save it as plain text with one code a line", USAGE)
    except csv.Error as error:
        fail(f"{file}: this is no table: {error}", USAGE)


def _column(line: str) -> tuple[str, int] | None:
    """The separator of a table and the place of its codes, by its first line; None where that is a code itself."""
    separator = next((one for one in _SEPARATORS if one in line), "")
    names = [
        name.strip().strip('"').lower().replace("_", " ") for name in (line.split(separator) if separator else [line])
    ]
    found = next((head for head in _HEADS if head in names), None)
    return (separator, names.index(found)) if found is not None else None


def _each(file: Path, lines: Iterator[tuple[int, str]]) -> Iterator[str]:
    for number, line in lines:
        code = line.strip().strip('"')
        if len(code) > LONGEST or "\0" in code:
            fail(f"{file}:{number}: this is no code: a line holds one code of up to {LONGEST} letters", USAGE)
        if any(separator in code for separator in _SEPARATORS):
            fail(
                f"{file}:{number}: this line has several columns; name the one with the codes “code” in a first line, "
                "or keep that one alone",
                USAGE,
            )
        if code:
            yield code
