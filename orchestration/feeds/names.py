"""Names that strangers have chosen (files, headers), made fit to be shown: terminal, log, receipt, Markdown.

For SQL see orchestration/sql.py; in HTML the templates escape.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")


def shown(name: str) -> str:
    """The name on one line: what is invisible, reverses the writing direction or is no text is spelled out.

    Characters of the categories control, format, surrogate, unassigned and separators other than blanks become
    `\\x1b`, `\\u202e`; long names end with `…`.
    """
    return visible(name, LONGEST)


def visible(text: str, longest: int) -> str:
    """As `shown`, with a length of one's own."""
    spelled = "".join(_visible(letter) for letter in text[: longest + 1])
    return spelled if len(spelled) <= longest else spelled[: longest - 1] + "…"


def in_markdown(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no table cell's end, no HTML."""
    return MARKDOWN.sub(r"\\\1", " ".join(text.split())).replace("\\<", "&lt;").replace("\\>", "&gt;")


def _visible(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Zs":
        return " "
    if category[0] not in "CZ":
        return letter
    number = ord(letter)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"
