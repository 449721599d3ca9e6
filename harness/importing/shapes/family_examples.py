"""A small made-up example of each family's files, for `rence check`: two problems, one answer of each arm to each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

EXPECTED = {"base": "1/2", "tuned": "2/2"}
"""arm -> correct answers of all, in every example here"""
_ASKED = (("What is 1 + 2?", "3", {"base": "3", "tuned": "3"}), ("What is 2 + 2?", "4", {"base": "5", "tuned": "4"}))
_STAMP = "2025-01-01T00-00-00.000000"


@dataclass(frozen=True)
class _Said:
    """One answer of an arm."""

    place: int
    """of the problem"""
    question: str
    gold: str
    answer: str

    @property
    def right(self) -> bool:
        return self.answer == self.gold

    @property
    def text(self) -> str:
        return f"That gives \\boxed{{{self.answer}}}."


def _said(arm: str) -> list[_Said]:
    return [_Said(place, question, gold, by[arm]) for place, (question, gold, by) in enumerate(_ASKED)]


def _lines(name: str, row: Callable[[_Said], Mapping[str, Any]]) -> dict[str, Any]:
    """A file of each arm with a row for each answer; `{arm}` in its name."""
    return {name.format(arm=arm): [dict(row(one)) for one in _said(arm)] for arm in EXPECTED}


LM_EVAL = _lines(
    f"{{arm}}/samples_sums_{_STAMP}.jsonl",
    lambda one: {
        "doc_id": one.place,
        "doc": {"question": one.question, "answer": one.gold},
        "target": one.gold,
        "resps": [[one.text]],
        "filtered_resps": [one.answer],
        "exact_match": float(one.right),
    },
)
EVALSCOPE = _lines(
    "{arm}/reviews/sums_main.jsonl",
    lambda one: {
        "index": one.place,
        "target": one.gold,
        "messages": [{"role": "user", "content": one.question}],
        "sample_score": {
            "score": {
                "value": {"acc": float(one.right)},
                "extracted_prediction": one.answer,
                "prediction": one.text,
            },
            "sample_id": 0,
            "group_id": one.place,
        },
    },
)
EVALSCOPE_2025 = _lines(
    "{arm}/reviews/sums_main.jsonl",
    lambda one: {
        "index": one.place,
        "raw_input": {"question": one.question, "answer": one.gold},
        "choices": [
            {
                "message": {"role": "assistant", "content": one.text},
                "review": {"gold": one.gold, "pred": one.answer, "result": one.right},
            }
        ],
    },
)
INSPECT = {
    f"{arm}/2025-01-01_sums.json": {
        "eval": {"task": "sums", "model": f"local/{arm}"},
        "samples": [
            {
                "id": one.place,
                "epoch": 1,
                "input": one.question,
                "target": one.gold,
                "output": {"choices": [{"message": {"role": "assistant", "content": one.text}, "stop_reason": "stop"}]},
                "scores": {"match": {"value": "C" if one.right else "I", "answer": one.answer}},
            }
            for one in _said(arm)
        ],
    }
    for arm in EXPECTED
}
EVALPLUS = {
    f"{arm}/eval_results.json": {
        "date": "2025-01-01 00:00",
        "eval": {
            f"Sums/{one.place}": [
                {
                    "task_id": f"Sums/{one.place}",
                    "solution": f"def f():\n    return {one.answer}",
                    "base_status": "pass" if one.right else "fail",
                    "plus_status": "pass" if one.right else "fail",
                }
            ]
            for one in _said(arm)
        },
    }
    for arm in EXPECTED
}
OPENAI_EVALS = _lines(
    "{arm}/sums.jsonl",
    lambda one: {
        "sample_id": f"sums.{one.place}",
        "event_id": one.place,
        "type": "match",
        "data": {"correct": one.right, "expected": one.gold, "picked": one.answer, "sampled": one.text},
    },
)
LIGHTEVAL = _lines(
    f"{{arm}}/details_sums_{_STAMP}.jsonl",
    lambda one: {
        "doc": {"query": one.question, "choices": [one.gold], "gold_index": [0]},
        "model_response": {"text": [one.text]},
        "metric": {"extractive_match": float(one.right)},
    },
)
TRL = _lines(
    "{arm}/completions_00020.jsonl",
    lambda one: {
        "step": 20,
        "prompt": one.question,
        "completion": one.text,
        "accuracy_reward": float(one.right),
        "format_reward": 1.0,
        "advantage": 0.5,
    },
)
ROLLOUTS = {
    f"{arm}/rollout/0/{one.place}.jsonl": [
        {
            "task_id": one.place,
            "sample_idx": 0,
            "reward": float(one.right),
            "prompt": one.question,
            "completion": one.text,
        }
    ]
    for arm in EXPECTED
    for one in _said(arm)
}
OLMES = _lines(
    "{arm}/task-000-sums-predictions.jsonl",
    lambda one: {
        "doc_id": one.place,
        "native_id": one.place,
        "metrics": {"exact_match": float(one.right)},
        "model_output": [{"continuation": one.text, "num_tokens": 7}],
        "label": one.gold,
    },
)
