"""Thinking sections, in which no answer is ever looked for."""

from __future__ import annotations

import re

TAGS = (
    ("<think>", "</think>"),  # DeepSeek, Qwen and most others
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<reason>", "</reason>"),
    ("<reflection>", "</reflection>"),
    ("<analysis>", "</analysis>"),
    ("<scratchpad>", "</scratchpad>"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),  # Sky-T1, OpenThinker
    ("<|start_thinking|>", "<|end_thinking|>"),  # Command A
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),  # gpt-oss
    ("<|thinking|>", "<|/thinking|>"),
    ("<|think|>", "<|/think|>"),
    ("[think]", "[/think]"),  # Magistral
    ("◁think▷", "◁/think▷"),  # Kimi
)
"""what opens a section and what closes it, whatever their case"""
_KIND = {tag: (number, place == 0) for number, pair in enumerate(TAGS) for place, tag in enumerate(pair)}
_TAG = re.compile("|".join(map(re.escape, sorted(_KIND, key=len, reverse=True))), re.IGNORECASE)


def without_thinking(response: str) -> str:
    """What follows the last section; nothing that follows one left open.

    A tag that closes what nothing opened ends a section that the prompt opened. Inside a section only its own closing
    tag counts, so thoughts about tags do not end it.
    """
    start, end, inside = 0, len(response), None
    for found in _TAG.finditer(response):
        kind, opens = _KIND[found.group().lower()]
        if not opens and inside in (None, kind):
            start, end, inside = found.end(), len(response), None
        elif opens and inside is None:
            end, inside = found.start(), kind
    return response[start:end]
