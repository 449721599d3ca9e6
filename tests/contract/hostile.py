"""What others may write: texts that act on terminals, in CI logs, in spreadsheets, in pages and in TeX."""

from __future__ import annotations

import re

ESCAPES = (
    "\x1b[31mred\x1b[0m", "\x1b[2J\x1b[H", "\x1b[1A\x1b[2K", "\x1b]0;title\x07", "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1bP+q544e\x1b\\", "\x1b[?1049h", "\x1b[6n", "\x1bc",
    "\x9b31mred", "\x9d52;c;ZXZpbA==\x9c", "\x90q\x9c", "\x85next", "\x84", "\x7f\x7f\x7fgone", "\x08\x08\x08back",
    "\x07bell", "\x0bvt\x0cff", "over\rwritten", "two\r\nlines", "\x0e\x0fshift", "\x01\x02\x1f", "\x1a", "nul\x00end",
)  # fmt: skip
COMMANDS = (
    "::error::x", "::error file=a.py,line=1::x", "::set-output name=a::b", "::add-mask::secret", "::stop-commands::tok",
    "::group::g", "::save-state name=a::b", "::add-path::/tmp/evil", "::set-env name=PATH::/tmp", "  ::warning::x",
    "\t::notice::x", "\u2003::debug::x", "##[error]x", "a ##[add-mask]x", "##vso[task.setvariable variable=a]b",
    "##teamcity[buildStop]", "line\n::error::x", "line\r::error::x", "line\n  ##[group]x", ":\n::error::x",
    "%0A::error::x",
)  # fmt: skip
UNSEEN = (
    "\u202eevil", "\u202d\u2066a\u2069", "\u200ea\u200fb", "\u061carabic mark", "a\u200bb", "\ufeffbom", "\u2060joiner",
    "line\u2028line", "para\u2029para", "\xadsoft", "\u180emongol", "\U000e0041tag", "\ufff9note\ufffb", "\u3164filler",
    "half \ud83d", "\udc80byte", "\u034fgrapheme",
)  # fmt: skip
MARKUP = (
    "[red]x[/red]", "[/]", "[link=https://evil.example]x[/link]", "[bold", ":smile:", "[@click=app.quit]x[/]",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a|b\\|c", "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))", "# heading", "- item", "$x^2$ \\input{x} % & _ ~ {", "]]>", "&lt;b&gt;",
)  # fmt: skip
FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", '"=1', "'=1", "=cmd|'/c calc'!A1", "\uff1d1+1", "-a",
    "\n=1",
)  # fmt: skip
HOSTILE = (*ESCAPES, *COMMANDS, *UNSEEN, *MARKUP, *FORMULAS)
ACTING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
OURS = re.compile(r"::(error|warning) title=rence gate[^:]*::[^\r\n]*\Z")


def acting(said: str) -> list[str]:
    """What of a command's words would act: characters, and lines that a CI service takes for its own."""
    found = [
        f"{match[0]!r} in {said[max(0, match.start() - 40) : match.end() + 40]!r}" for match in ACTING.finditer(said)
    ]
    for line in said.split("\n"):
        if line.lstrip().startswith("::") and not OURS.match(line):
            found.append(f"a command: {line!r}")
        if re.search(r"##\w*\[", line):
            found.append(f"an old command: {line!r}")
    return found
