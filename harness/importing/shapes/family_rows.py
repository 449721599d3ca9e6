"""What no path can name in the rows of some tools: a function for each.

A row that is not as the tool writes it stays as it is, and what is missing is found by those who read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.importing import cells
from harness.importing.names import folder_name


def lighteval(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the right one of the choices, a number of tokens for each answer, and the name of the task."""
    doc, response = row.get("doc"), row.get("model_response")
    if not isinstance(doc, dict) or not isinstance(response, dict):
        return row
    made: dict[str, Any] = {**row, "gold": _choice(doc)}
    if isinstance(task := doc.get("task_name"), str):
        made["benchmark"] = lighteval_task(task)
    texts, tokens = response.get("text"), response.get("output_tokens")
    if isinstance(texts, list) and isinstance(tokens, list) and len(texts) == len(tokens):
        made["model_response"] = {**response, "tokens": [len(one) for one in tokens]}
    return made


def lm_eval(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the hash of the document as the problem's id, the metrics in one place, and without the log-likelihoods of
    tasks that ask for no text.

    Tasks of ours say the id and the gold themselves.
    """
    made, doc, names = dict(row), row.get("doc"), row.get("metrics")
    if isinstance(names, list) and names and all(isinstance(name, str) for name in names):
        del made["metrics"]
        made["metric"] = {name: made.pop(name) for name in dict.fromkeys(names) if name in made}
    if isinstance(said := row.get("doc_hash"), str) and said:
        made["problem"] = said[:16]
    if isinstance(doc, dict) and {"id", "gold", "rule"} <= doc.keys():
        made |= {"problem": doc["id"], "target": doc["gold"]}
    texts = row.get("resps")
    while isinstance(texts, list) and len(texts) == 1 and isinstance(texts[0], list):
        texts = texts[0]
    if isinstance(texts, list) and (not all(isinstance(one, str) for one in texts) or _are_likelihoods(texts)):
        made |= {"resps": None, "filtered_resps": None}
    return made


def _are_likelihoods(texts: list[Any]) -> bool:
    """Whether it is one pair of a number and whether the greedy answer would be the same, as a text."""
    return len(texts) == 2 and texts[1] in ("True", "False")


def lighteval_task(task: str) -> str:
    """`lighteval|aime24|0` or `aime24|0` -> `aime24`; examples in the prompt are part of the name: `gsm8k-5shot`."""
    *words, last = task.split("|")
    name = (words or [last])[-1]
    shots = last if words and last.isdigit() and last != "0" else ""
    return folder_name(name) + (f"-{shots}shot" if shots else "")


def _choice(doc: Mapping[str, Any]) -> Any:
    """The choice that `gold_index` points to; of several a list, as a text."""
    choices, places = doc.get("choices"), doc.get("gold_index")
    places = places if isinstance(places, list) else [places]
    if not isinstance(choices, list):
        return None
    right = [choices[one] for one in places if isinstance(one, int) and one < len(choices)]
    if not right or len(right) < len(places):
        return None
    return cells.written(right[0] if len(right) == 1 else [cells.written(one) for one in right])
