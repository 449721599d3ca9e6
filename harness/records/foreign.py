"""Text of others, fit to be shown: what models, problems, files, servers and plug-ins say may hold characters that act.

The one cleaner of terminal, logs, annotations and reports. Files of results keep the original.
"""

from __future__ import annotations

import re

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e01ef]"
)
"""Controls but tab and line end, marks of direction, separators, fillers, half characters, tags. Joiners stay: they
belong to the spelling of some scripts."""
_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
"""a line that GitHub Actions takes for a command: it leaves out white space before it"""
_OLD_COMMAND = re.compile(r"#(?=#\w*\[)")
"""GitHub finds `##[` anywhere in a line; Azure `##vso[`, TeamCity `##teamcity[`"""
_FORMULA = re.compile(r"[\s\"'`]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
"""what a spreadsheet takes for a formula or a command, white space, quotes and wide forms of the signs included"""
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?: ?%)?")


def visible(words: str) -> str:
    """Characters that cannot be seen, and may act on a terminal, reorder or end a text, as signs: `␀` for NUL, `␛` for
    escape, `�` for most.

    >>> visible("a\\x00b\\u202ec")
    'a␀b�c'
    """
    return HIDDEN.sub(_sign, words)


def one_line(words: str) -> str:
    """The same, with every run of white space as one space."""
    return visible(" ".join(words.split()))


def without_commands(lines: str) -> str:
    """No line is a workflow command of a CI service: `::error::x` becomes `: :error::x`, `##[x]` becomes `# #[x]`."""
    return _OLD_COMMAND.sub("# ", _COMMAND.sub(r"\1: ", lines))


def json_escaped(document: str) -> str:
    """A JSON document with the characters of `visible` as escapes of JSON: it says the same, and nothing in it acts."""
    return _OLD_COMMAND.sub(r"\\u0023", HIDDEN.sub(_code, document))


def cell(words: str) -> str:
    """A cell of a CSV file, visible, for a carriage return alone would begin a row: what a spreadsheet would take for a
    formula begins with an apostrophe; a number does not.

    >>> cell("=1+1"), cell("-1.5")
    ("'=1+1", '-1.5')
    """
    words = visible(words)
    return f"'{words}" if _FORMULA.match(words) and not _NUMBER.fullmatch(words) else words


def _sign(match: re.Match[str]) -> str:
    return chr(0x2400 + ord(match[0])) if match[0] < " " else "\ufffd"


def _code(match: re.Match[str]) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _utf16(ord(match[0])))


def _utf16(point: int) -> tuple[int, ...]:
    return (point,) if point < 0x10000 else (0xD800 + ((point - 0x10000) >> 10), 0xDC00 + ((point - 0x10000) & 0x3FF))
