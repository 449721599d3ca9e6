"""Files that programs for evaluation write; each shape names the tool whose files it resembles.

Names of keys and folders were read in the public repositories of Qwen2.5-Math, SkyThought, evalchemy, verifiers,
OpenCompass, EvalPlus and LiveCodeBench in November 2026. The others are made after what is known of these tools: a
version of one may write other keys. All texts are made up.
"""

from __future__ import annotations

from pathlib import Path

from .truth import ARMS, K, cells, chat, groups, put, put_json, put_lines, shape, share


@shape()
def simple_evals(to: Path) -> None:
    """openai/simple-evals: EvalResult as JSON, one for a model; problems are known by their conversations alone."""
    for arm in ARMS:
        rows = cells(arm, k=0)
        levels = [{"score": float(c.right), "correct_answer": c.gold, "extracted_answer": c.answer} for c in rows]
        put_json(
            to / f"math_{arm}_20260105_101010_allresults.json",
            {"score": share(arm, 1), "metrics": {"score:std": 0.4, "chars": 44.0}, "htmls": [""] * 12}
            | {"convos": [chat(c.question, c.text) for c in rows], "metadata": {"example_level_metadata": levels}},
        )


@shape()
def openai_evals(to: Path) -> None:
    """openai/evals: LocalRecorder's events, a spec first and a final report last."""
    for arm in ARMS:
        events: list[dict] = [{"spec": {"completion_fns": [arm], "eval_name": "sums.dev.v0", "run_id": "26010510AB"}}]
        for n, c in enumerate(cells(arm, k=0)):
            common = {"run_id": "26010510AB", "sample_id": f"sums.dev.{c.i}", "created_by": "", "created_at": "2026-01"}
            sampled = {"prompt": chat(c.question), "sampled": [c.text]}
            match = {"correct": c.right, "expected": c.gold, "picked": c.answer, "sampled": c.text, "options": [c.gold]}
            events.append(common | {"event_id": 2 * n, "type": "sampling", "data": sampled})
            events.append(common | {"event_id": 2 * n + 1, "type": "match", "data": match})
        events.append({"final_report": {"accuracy": share(arm, 1), "boostrap_std": 0.1}})
        put_lines(to / f"26010510AB_{arm}_sums.jsonl", events)


@shape(k=K, needs="--column correct=plus_status")
def evalplus(to: Path) -> None:
    """evalplus 0.3: eval_results.json, lists by task, with the marks of two sets of tests."""
    for arm in ARMS:
        found = {
            f"Mbpp/{group[0].i}": [
                {"task_id": f"Mbpp/{c.i}", "solution": f"def f():\n    return {c.answer}", "base_status": "pass"}
                | {"plus_status": "pass" if c.right else "fail", "base_fail_tests": [], "plus_fail_tests": []}
                for c in group
            ]
            for group in groups(arm)
        }
        passed = {"base": {"pass@1": 1.0}, "plus": {"pass@1": share(arm, K)}}
        put_json(to / f"mbpp/{arm}_vllm_temp_0.8_eval_results.json", {"date": "2026-01-05 10:10", "hash": "ab12"}
                 | {"eval": found, "pass_at_k": passed})  # fmt: skip


@shape(k=K)
def live_code_bench(to: Path) -> None:
    """LiveCodeBench: Scenario.codegeneration_<n>_<t>_eval_all.json."""
    for arm in ARMS:
        put_json(
            to / f"output/{arm}/Scenario.codegeneration_4_0.2_eval_all.json",
            [
                {"question_title": f"Sum {g[0].i}", "question_content": g[0].question, "platform": "leetcode"}
                | {"question_id": str(2800 + g[0].i), "contest_id": "w1", "contest_date": "2025-01-04T00:00:00"}
                | {"starter_code": "", "difficulty": "easy", "output_list": [c.text for c in g]}
                | {"code_list": [f"print({c.answer})" for c in g], "graded_list": [c.right for c in g]}
                | {"pass@1": sum(c.right for c in g) / K, "metadata": ["{}"] * K}
                for g in groups(arm)
            ],
        )


@shape(k=K)
def human_eval(to: Path) -> None:
    """openai/human-eval: samples.jsonl_results.jsonl; samples of a task stand apart and have no number."""
    for arm in ARMS:
        rows = sorted(cells(arm), key=lambda c: (c.k, c.i))
        put_lines(
            to / arm / "samples.jsonl_results.jsonl",
            [
                {"task_id": f"Sums/{c.i}", "completion": f"    return {c.answer}\n"}
                | {"result": "passed" if c.right else "failed: AssertionError", "passed": c.right}
                for c in rows
            ],
        )


@shape(k=K)
def sky_thought(to: Path) -> None:
    """NovaSky-AI/SkyThought, skythought/evals 2025: results.json by problem, summary.json beside it."""
    for arm in ARMS:
        folder = to / f"{arm}_sums_myHash"
        put_json(
            folder / "results.json",
            {
                str(g[0].i): {"problem": g[0].question, "answer": g[0].gold, "_index": g[0].i, "prompt": g[0].question}
                | {"input_conversation": chat(g[0].question)}
                | {
                    "responses": [
                        {
                            "content": c.text,
                            "correctness": c.right,
                            "reason": "" if c.right else "Solution is incorrect.",
                        }
                        for c in g
                    ]
                }
                | {"token_usages": [{"completion_tokens": 12, "prompt_tokens": 9} for _ in g]}
                for g in groups(arm)
            },
        )
        put_json(folder / "summary.json", {"configuration": {"model": arm}, "accuracy": round(share(arm, K), 4)})


@shape()
def sky_thought_before(to: Path) -> None:
    """The same tool in January 2025: one answer for each temperature, by the question."""
    for arm in ARMS:
        found = {
            c.question: {"problem": c.question, "answer": c.gold, "prompt": c.question}
            | {"responses": {"0.7": {"content": c.text, "correctness": c.right, "reason": ""}}}
            | {"token_usages": {"0.7": {"completion_tokens": 12, "prompt_tokens": 9}}}
            for c in cells(arm, k=0)
        }
        put_json(to / f"{arm}_sums_test__0_-1.json", found)


@shape(k=K)
def evalchemy(to: Path) -> None:
    """mlfoundations/evalchemy: results_<date>.json with examples; answers are there, marks are not."""
    for arm in ARMS:
        examples = [
            {"id": 60 + g[0].i, "problem": g[0].question, "expected_answer": g[0].gold, "reference_solution": "add"}
            | {"model_outputs": [c.text for c in g], "model_answers": [c.answer for c in g]}
            for g in groups(arm)
        ]
        stats = [
            {"repetition": k + 1, "num_total": 12, "num_solved": sum(c.right for c in cells(arm, k=k))}
            for k in range(K)
        ]
        task = {
            "examples": examples,
            "num_total": 12,
            "run_stats": stats,
            "accuracy_avg": share(arm, K),
            "num_repeat": K,
        }
        put_json(
            to / f"logs/{arm}/results_2025-03-04T10-10-10.123456.json",
            {"results": {"Sums24": task}, "config": {"model": "vllm", "model_args": f"pretrained={arm}"}, "date": 1.0},
        )


@shape()
def deepseek_math(to: Path) -> None:
    """deepseek-ai/DeepSeek-Math, evaluation: predictions.json and metrics.json, `accuracy` is a mark of one answer."""
    for arm in ARMS:
        folder = to / f"outputs/{arm}/sums/test/samples"
        rows = [
            {"dataset": "sums-test", "messages": chat(c.question), "answer": c.gold, "prompt": c.question}
            | {"model_output": c.text, "prediction": [c.answer], "accuracy": c.right}
            for c in cells(arm, k=0)
        ]
        put_json(folder / "predictions.json", rows)
        put_json(folder / "metrics.json", {"n_samples": 12, "accuracy": share(arm, 1)})


@shape(k=K)
def qwen_math(to: Path) -> None:
    """QwenLM/Qwen2.5-Math and simpleRL-reason: test_*.jsonl with lists, *_metrics.json beside it."""
    for arm in ARMS:
        folder = to / f"{arm}/math_eval/sums"
        rows = [
            {"idx": g[0].i, "question": g[0].question, "gt_cot": "add them", "gt": g[0].gold, "answer": g[0].gold}
            | {"code": [c.text for c in g], "pred": [c.answer for c in g], "report": [None] * K}
            | {"score": [c.right for c in g]}
            for g in groups(arm)
        ]
        put_lines(folder / "test_qwen25-math-cot_-1_seed0_t0.6_s0_e-1.jsonl", rows)
        metrics = {"num_samples": 12, "num_scores": 48, "timeout_samples": 0, "acc": round(100 * share(arm, K), 1)}
        put_json(folder / "test_qwen25-math-cot_-1_seed0_t0.6_s0_e-1_qwen25-math-cot_metrics.json", metrics)


@shape(k=K)
def limo(to: Path) -> None:
    """GAIR-NLP/LIMO: `is_correct` says whether any answer is; the marks of answers are in a list."""
    for arm in ARMS:
        rows = [
            {"question": g[0].question, "generated_responses": [c.text for c in g], "gold_answer": g[0].gold}
            | {"generated_answers": [c.answer for c in g], "is_correct": any(c.right for c in g)}
            | {"answers_correctness": [c.right for c in g], "idx": g[0].i}
            for g in groups(arm)
        ]
        put_lines(to / f"{arm}/sums/test_limo_-1_seed0_t0.6_s0_e-1_b30000_original.jsonl", rows)


@shape()
def open_compass(to: Path) -> None:
    """opencompass 0.4: predictions, results with details, and a summary in one folder of a date."""
    folder = to / "outputs/default/20260105_101010"
    for arm in ARMS:
        rows = cells(arm, k=0)
        said = {
            str(c.i): {"origin_prompt": [{"role": "HUMAN", "prompt": c.question}], "prediction": c.text, "gold": c.gold}
            for c in rows
        }
        put_json(folder / f"predictions/{arm}/sums.json", said)
        details = [{"pred": c.answer, "answer": c.gold, "correct": c.right} for c in rows]
        put_json(folder / f"results/{arm}/sums.json", {"accuracy": 100 * share(arm, 1), "details": details})
    header = "dataset,version,metric,mode," + ",".join(ARMS)
    put(folder / "summary/summary_20260105_101010.csv", f"{header}\nsums,ab12,accuracy,gen,1.0,2.0\n")
    put(folder / "logs/eval/base/sums.out", "01/05 10:10 INFO done\n")


@shape(k=K)
def open_compass_replicas(to: Path) -> None:
    """The same tool with n > 1: each detail has lists, and G-Pass@k beside them."""
    for arm in ARMS:
        details = [
            {"example_abbr": f"sums_{g[0].i}", "pred": [c.answer for c in g], "answer": [c.gold for c in g]}
            | {"correct": [c.right for c in g], "G-Pass@4_0.0": float(any(c.right for c in g)), "mG-Pass@4": 0.0}
            for g in groups(arm)
        ]
        found = {"accuracy (4 runs average)": 100 * share(arm, K), "G-Pass@4_0.0": 50.0, "details": details}
        put_json(to / f"results/{arm}/sums.json", found)
