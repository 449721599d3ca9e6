"""The words a problem is asked with, for every template of ours and for lm-eval."""

from __future__ import annotations

INSTRUCTION = "Please reason step by step, and put your final answer within \\boxed{}."
"""Qwen2.5-Math's sentence, the usual one in the field"""
SEVERAL = "If there are several answers, put them all into one box, separated by commas."
"""for problems whose gold is a list: the marker reads the last box"""


def asked(question: str, note: str = "", instruction: str = "") -> str:
    """The user's turn: the question, and in a paragraph of their own what is said about the answer.

    Args:
        note: the problem's own sentence, see `Problem.note`.
        instruction: the template's sentence.
    """
    about = " ".join(sentence for sentence in (instruction, note) if sentence)
    return f"{question}\n\n{about}" if about else question
