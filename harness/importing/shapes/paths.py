"""Places in a record: `sample_score.score.value.acc`, `choices[].message.content`, `messages[user].content`.

A path is a tuple of steps. A step is a key of an object, or one of

    []           each entry of a list: an answer, or a row
    [0]          the only entry of a list
    {}           each value of an object whose keys are data: names of arms, ids of problems
    [user]       the last message of the user in a list of messages; [assistant] of the model

As a text, keys are joined by dots. `[0]` may be left out where a path is written: `resps` is `resps[0][0]`.
"""

from __future__ import annotations

import re
from typing import Any

from harness.records import DataError

Path = tuple[str, ...]
EACH, FIRST, MAP, USER, ASSISTANT = "[]", "[0]", "{}", "[user]", "[assistant]"
_TURNS = {USER: ("user", "human"), ASSISTANT: ("assistant", "ai", "gpt", "model")}


class NotOne(DataError):
    """A list has several entries where others have one."""


def written(path: Path) -> str:
    """As people write it."""
    made = ""
    for step in path:
        made += step if step.startswith("[") or not made else f".{step}"
    return made


def plain(text: str) -> str:
    """The same for all ways to write a path."""
    return re.sub(r"\[-?\d+\]", "", text.removeprefix("$."))


def matches(pattern: str, text: str) -> bool:
    """Whether a path is one that a family names; `{word}` stands for any one key, `*` for any end of one.

    Args:
        text: as of `plain`.
    """
    if "{" not in pattern and "*" not in pattern:
        return pattern == text
    made = "".join(
        r"[^.\[\]]+" if piece.startswith("{") else r"[^.\[\]]*" if piece == "*" else re.escape(piece)
        for piece in re.split(r"(\{\w*\}|\*)", pattern)
    )
    return re.fullmatch(made, text) is not None


def at(value: Any, path: Path) -> Any:
    """What is at a path without `[]` and `{}`; None if nothing is.

    Raises: NotOne.
    """
    for step in path:
        if value is None:
            return None
        if step == FIRST:
            if not isinstance(value, list):
                return None
            if len(value) > 1:
                raise NotOne(f"`{written(path)}` has {len(value)} entries, where others have one")
            value = value[0] if value else None
        elif step in _TURNS:
            value = _turn(value, _TURNS[step])
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def is_chat(values: Any) -> bool:
    """Whether it is a list of messages, each of a role."""
    return (
        isinstance(values, list)
        and len(values) > 0
        and all(isinstance(one, dict) and ("role" in one or "from" in one) for one in values)
        and any("content" in one or "value" in one for one in values)
    )


def _turn(messages: Any, who: tuple[str, ...]) -> Any:
    if not isinstance(messages, list):
        return None
    said = [one for one in messages if isinstance(one, dict) and one.get("role", one.get("from")) in who]
    return _plain_content(said[-1]) if said else None


def _plain_content(message: dict[str, Any]) -> dict[str, Any]:
    """With its text, where a message is a list of parts."""
    content = message.get("content", message.get("value"))
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return {**message, "content": content}
