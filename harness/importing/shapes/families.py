"""The families that are known, a few lines each. Rows of any other tool are read by their names and values."""

from __future__ import annotations

from harness.importing.shapes import family_examples as examples
from harness.importing.shapes import family_rows
from harness.importing.shapes.family import FactPlaces, Family

DATE = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?"


def named(name: str) -> Family:
    """Raises: KeyError."""
    return {one.name: one for one in FAMILIES}[name]


FAMILIES: tuple[Family, ...] = (
    Family(
        name="lm-eval samples",
        signs=("doc_id", "doc", "resps", "target"),
        roles={
            "problem_id": ("problem", "doc_id"),
            "question": ("doc.question", "doc.problem", "doc.query", "arguments.gen_args_0.arg_0"),
            "filter": ("filter",),
            "gold": ("target",),
            "response": ("resps", "resps[]"),
            "answer": ("filtered_resps", "filtered_resps[]"),
            "correct": ("metric.{metric}",),
        },
        row=family_rows.lm_eval,
        content="problem",
        number=("doc_id",),
        engine="lm-eval",
        model_folder=0,
        facts=FactPlaces(
            file=(
                rf"(?P<root>.*/|)samples_[^/]+_(?P<time>{DATE})\.[^/]+",
                r"\g<root>results_\g<time>.json",
            ),
            model="model_name",
            version="lm_eval_version",
            template="chat_template_sha",
            limit="config.limit",
            sampling=("configs.{benchmark}.generation_kwargs", "configs.{benchmark}.num_fewshot"),
        ),
        results="results.{benchmark}.{metric},{filter}",
        file_name=rf"samples_(?P<benchmark>.+?)_(?P<time>{DATE})",
        example=examples.LM_EVAL,
        expected=examples.EXPECTED,
    ),
    Family(
        name="NeMo-Skills generations",
        signs=("generation", "problem", "expected_answer"),
        roles={
            "question": ("problem",),
            "gold": ("expected_answer",),
            "response": ("generation",),
            "answer": ("predicted_answer",),
            "correct": ("{x}_correct",),
            "tokens": ("num_generated_tokens",),
        },
        file_name=r"output-rs(?P<sample>\d+)",
        example={
            f"{arm}/sums/output-rs{k}.jsonl": [
                {
                    "generation": f"\\boxed{{{said}}}",
                    "problem": question,
                    "expected_answer": gold,
                    "predicted_answer": said,
                    "symbolic_correct": said == gold,
                }
                for question, gold, said in (("1 + 2?", "3", "3"), ("2 + 2?", "4", four))
            ]
            for arm, k, four in (("base", 0, "5"), ("base", 1, "5"), ("tuned", 0, "4"), ("tuned", 1, "5"))
        },
        expected={"base": "2/4", "tuned": "3/4"},
    ),
    Family(
        name="evalscope reviews",
        signs=("sample_score.score.value", "sample_score.sample_id"),
        roles={
            "problem_id": ("sample_score.group_id", "index"),
            "question": ("messages[user].content", "input"),
            "gold": ("target",),
            "response": ("sample_score.score.prediction",),
            "answer": ("sample_score.score.extracted_prediction",),
            "correct": ("sample_score.score.value.{metric}",),
            "sample": ("sample_score.sample_id",),
        },
        example=examples.EVALSCOPE,
        expected=examples.EXPECTED,
    ),
    Family(
        name="evalscope reviews (2025)",
        signs=("choices", "choices.review.result", "raw_input"),
        roles={
            "question": ("raw_input.question", "raw_input.problem"),
            "gold": ("choices[].review.gold", "raw_input.answer"),
            "response": ("choices[].message.content",),
            "answer": ("choices[].review.pred",),
            "correct": ("choices[].review.result",),
        },
        example=examples.EVALSCOPE_2025,
        expected=examples.EXPECTED,
    ),
    Family(
        name="inspect log",
        signs=("samples.scores", "samples.epoch", "eval.task"),
        roles={
            "arm": ("eval.model",),
            "benchmark": ("eval.task",),
            "problem_id": ("id",),
            "question": ("input", "input[user].content"),
            "gold": ("target",),
            "response": ("output.choices.message.content", "output.completion"),
            "answer": ("scores.{scorer}.answer",),
            "correct": ("scores.{scorer}.value",),
            "sample": ("epoch",),
            "finish_reason": ("output.choices.stop_reason",),
        },
        aggregates=("results.scores[].metrics.accuracy.value", "results.scores[].metrics.mean.value"),
        example=examples.INSPECT,
        expected=examples.EXPECTED,
    ),
    Family(
        name="evalplus results",
        signs=("base_status", "plus_status", "solution"),
        roles={"problem_id": ("task_id",), "response": ("solution",), "correct": ("{tests}_status",)},
        example=examples.EVALPLUS,
        expected=examples.EXPECTED,
    ),
    Family(
        name="OLMES predictions",
        signs=("doc_id", "native_id", "metrics", "model_output", "label"),
        roles={
            "problem_id": ("doc_id",),
            "gold": ("label",),
            "response": ("model_output[0].continuation", "model_output[].continuation"),
            "correct": ("metrics.{metric}",),
            "tokens": ("model_output[0].num_tokens", "model_output[].num_tokens"),
        },
        results="metrics.{metric}",
        file_name=r"task-\d+-(?P<benchmark>.+?)-predictions",
        example=examples.OLMES,
        expected=examples.EXPECTED,
    ),
    Family(
        name="OpenAI evals log",
        signs=("data.correct", "sample_id", "event_id"),
        roles={
            "problem_id": ("sample_id",),
            "gold": ("data.expected",),
            "response": ("data.sampled",),
            "answer": ("data.picked",),
            "correct": ("data.correct",),
        },
        only={"type": "match"},
        example=examples.OPENAI_EVALS,
        expected=examples.EXPECTED,
    ),
    Family(
        name="verl validation dump",
        signs=("input", "output", "gts", "score"),
        roles={
            "question": ("input",),
            "gold": ("gts",),
            "response": ("output",),
            "answer": ("pred",),
            "correct": ("acc", "score"),
            "step": ("step",),
            "benchmark": ("data_source",),
        },
        file_name=r"(?P<step>\d+)",
        pools=True,
        example={
            f"{arm}/20.jsonl": [
                {"input": q, "output": f"\\boxed{{{a}}}", "gts": gold, "score": float(a == gold), "step": 20}
                for q, gold, a in (("1 + 2?", "3", "3"), ("2 + 2?", "4", four))
            ]
            for arm, four in (("base", "5"), ("tuned", "4"))
        },
        expected={"base": "1/2", "tuned": "2/2"},
    ),
    Family(
        name="lighteval details",
        signs=("doc.query", "model_response.text", "metric"),
        roles={
            "question": ("doc.query",),
            "gold": ("gold",),
            "response": ("model_response.text", "model_response.text[]"),
            "correct": ("metric.{metric}",),
            "tokens": ("model_response.tokens", "model_response.tokens[]"),
            "benchmark": ("benchmark",),
        },
        row=family_rows.lighteval,
        by_text=True,
        number=("doc.id",),
        engine="lighteval",
        model_folder=1,
        facts=FactPlaces(
            file=(
                rf"(?P<root>.*/|)details/(?P<model>.+)/[^/]+/details_[^/]+_(?P<time>{DATE})\.[^/]+",
                r"\g<root>results/\g<model>/results_\g<time>.json",
            ),
            model="config_general.model_config.model_name",
            limit="config_general.max_samples",
            sampling=("config_general.model_config.generation_parameters",),
        ),
        otherwise="Details of lighteval before 0.11 have other columns, `predictions` and `metrics`.",
        file_name=rf"details_(?P<benchmark>.+?)_(?P<time>{DATE})",
        example=examples.LIGHTEVAL,
        expected=examples.EXPECTED,
    ),
    Family(
        name="TRL completions",
        signs=("prompt", "completion", "advantage", "step"),
        roles={
            "question": ("prompt", "prompt[user].content"),
            "response": ("completion", "completion[assistant].content"),
            "step": ("step",),
        },
        file_name=r"completions_(?P<step>\d+)",
        example=examples.TRL,
        expected=examples.EXPECTED,
    ),
    Family(
        name="rollouts, a file for each problem",
        signs=("prompt", "completion", "reward", "sample_idx"),
        roles={
            "question": ("prompt",),
            "response": ("completion",),
            "correct": ("reward",),
            "sample": ("sample_idx",),
        },
        example=examples.ROLLOUTS,
        expected=examples.EXPECTED,
    ),
)
