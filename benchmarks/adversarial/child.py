"""The process that calls a user's function: run as a file, with `module:function` and `texts` or `messages`. Imports
the standard library alone and nothing of ours, so that the user's modules are found as they would be without us.

It reads lines `[response, gold]` and answers each with `{"value": number}`, or `{"error": words}`. The first line that
it writes is `{"ready": form}` after a call for trial, in which functions import what they need, or `{"unusable":
words, "form": form}`, or `{"absent": words}` if there is no such function. What the function prints goes nowhere.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

GOLDS = ("ground_truth", "solution", "answer", "gold", "target", "label")
"""names under which functions are given a gold by keyword"""
RESPONSES = ("solution_str", "response", "completion", "model_output", "prediction", "pred", "text")
SCORES = ("score", "reward", "acc", "correct")
"""what is read of a dictionary, the first that is there"""
OTHERS: dict[str, Any] = {
    "data_source": "math", "extra_info": None, "prompts": [""], "prompt": "", "completion_ids": [[1]],
    "trainer_state": None,
}  # fmt: skip
"""what else some frameworks give, as plain values"""
PLAIN = "f(response, gold)"
TRIAL = ("\\boxed{1}", "1")
"""a response and a gold that no function may fail on"""


class Absent(Exception):
    """There is no such module or function."""


def main() -> None:
    """Serve the parent until it closes the pipe."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    sys.path.insert(0, os.getcwd())
    form = ""
    try:
        call, form = caller(found(sys.argv[1]), sys.argv[2] == "messages")
        number_of(call(*TRIAL))
    except Absent as error:
        print(json.dumps({"absent": str(error)}), file=answers, flush=True)
        return
    except (Exception, SystemExit) as error:  # foreign code may fail in any way
        print(json.dumps({"unusable": said(error), "form": form}), file=answers, flush=True)
        return
    print(json.dumps({"ready": form}), file=answers, flush=True)
    for line in questions:
        try:
            answer: dict[str, Any] = {"value": number_of(call(*json.loads(line)))}
        except (Exception, SystemExit) as error:
            answer = {"error": said(error)}
        print(json.dumps(answer), file=answers, flush=True)


def found(target: str) -> Callable[..., Any]:
    """Raises: Absent; whatever the import of foreign code raises; TypeError if it cannot be called."""
    module, _, name = target.partition(":")
    try:
        function: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise Absent(said(error)) from None
        raise
    for part in name.split("."):
        try:
            function = getattr(function, part)
        except AttributeError as error:
            raise Absent(said(error)) from None
    if not callable(function):
        raise TypeError(f"{target} is {type(function).__name__}, not a function")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
        raise TypeError("async functions are not called")
    return function


def caller(function: Callable[..., Any], messages: bool = False) -> tuple[Callable[[str, str], Any], str]:
    """How it is called with (response, gold), and the form of that call as people write it.

    A function with a parameter `completions` is called as TRL does it: lists of one, by keyword. One that has a
    keyword of a response and one of a gold, such as verl's `compute_score(data_source, solution_str, ground_truth)`,
    is called by keyword. Any other gets the response and the gold, in this order, and the problem as well if it takes
    three, as `recipe.reward` calls it.

    Args:
        messages: whether `completions` are lists of messages, not texts.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a function in C may have none that can be read
        return lambda response, gold: function(response, gold), PLAIN
    parameters = signature.parameters
    if _takes(signature, 3) and not _takes(signature, 2) and "problem" in parameters:
        return lambda response, gold: function(response, gold, _problem(gold)), "f(response, gold, problem)"
    named = [name for name, one in parameters.items() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    anything = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
    extra = {name: value for name, value in OTHERS.items() if name in named}
    golds = [name for name in GOLDS if name in named]
    if "completions" in named:
        names = golds or (list(GOLDS) if anything else [])

        def as_trl(response: str, gold: str) -> Any:
            completion = [{"role": "assistant", "content": response}] if messages else response
            return function(completions=[completion], **{name: [gold] for name in names}, **extra)

        shown = '[[{"role": "assistant", "content": response}]]' if messages else "[response]"
        return as_trl, _written({"completions": shown, **dict.fromkeys(names, "[gold]")}, extra)
    responses = [name for name in RESPONSES if name in named]
    if responses and golds:
        form = _written({responses[0]: "response", golds[0]: "gold"}, extra)
        return lambda response, gold: function(**{responses[0]: response, golds[0]: gold}, **extra), form
    return lambda response, gold: function(response, gold), PLAIN


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _problem(gold: str) -> SimpleNamespace:
    """A problem with this gold, of which nothing else is known."""
    return SimpleNamespace(id="", question="", gold=gold, tags={}, rule=None, note="")


def _written(names: dict[str, str], extra: dict[str, Any]) -> str:
    words = {**names, **{name: repr(value) for name, value in extra.items()}}
    return f"f({', '.join(f'{name}={word}' for name, word in words.items())})"


def number_of(value: Any) -> float:
    """A number, a Boolean, the score of a dictionary, the first of a list or a tuple, or a tensor of one number.

    Raises: TypeError or ValueError for anything else, and for what is no number.
    """
    if isinstance(value, dict):
        keys = [key for key in SCORES if key in value]
        if not keys:
            raise TypeError(f"the dictionary has none of {', '.join(SCORES)}")
        return number_of(value[keys[0]])
    if isinstance(value, list | tuple):
        if value:
            return number_of(value[0])
        raise TypeError("returned an empty list")
    if isinstance(value, str) or value is None:
        raise TypeError(f"returned {type(value).__name__}, not a number")
    number = float(value)
    if number != number:
        raise ValueError("returned NaN")
    return number


def said(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


if __name__ == "__main__":
    main()
