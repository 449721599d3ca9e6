"""Tables that people make: spreadsheets, counts, and JSON by problem."""

from __future__ import annotations

from pathlib import Path

from .truth import ARMS, K, cells, groups, put, put_csv, put_json, put_lines, put_parquet, shape


@shape()
def wide(to: Path) -> None:
    """Problems as rows, models as columns of 0 and 1."""
    both = zip(*(cells(arm, k=0) for arm in ARMS), strict=True)
    put_csv(
        to / "results.csv", [{"problem": c.question} | {one.arm: int(one.right) for one in (c, d)} for c, d in both]
    )


@shape()
def wide_named(to: Path) -> None:
    """The same with an id, golds and columns `<model>_correct` beside `<model>_answer`."""
    both = zip(*(cells(arm, k=0) for arm in ARMS), strict=True)
    put_csv(
        to / "comparison.csv",
        [
            {"id": c.id, "question": c.question, "gold": c.gold}
            | {f"{one.arm}_answer": one.answer for one in (c, d)}
            | {f"{one.arm}_correct": one.right for one in (c, d)}
            for c, d in both
        ],
    )


@shape()
def models_as_rows(to: Path) -> None:
    """A leaderboard: models as rows, problems as columns, the mean last."""
    rows = []
    for arm in ARMS:
        marks = [int(c.right) for c in cells(arm, k=0)]
        rows.append({"model": arm} | {f"P{i + 1}": m for i, m in enumerate(marks)} | {"avg": round(sum(marks) / 12, 4)})
    put_csv(to / "leaderboard.csv", rows)


@shape(k=K)
def long(to: Path) -> None:
    """A row for each answer, by model, question and run."""
    rows = [{"model": a, "question_id": c.i, "run": c.k, "correct": int(c.right)} for a in ARMS for c in cells(a)]
    put_csv(to / "all.csv", rows)


@shape(k=K)
def long_with_benchmark(to: Path) -> None:
    """The same with other names: method, dataset, trial, success as Yes and No; an index that pandas wrote."""
    rows = [
        {"": n, "method": c.arm, "dataset": "sums", "trial": c.k, "qid": c.id, "success": ("No", "Yes")[c.right]}
        for n, c in enumerate(c for a in ARMS for c in cells(a))
    ]
    put_csv(to / "all.csv", rows)


@shape(k=K)
def counts(to: Path) -> None:
    """How many of n were right, by model and problem."""
    rows = [
        {"model": a, "problem_id": g[0].id, "n": K, "n_correct": sum(c.right for c in g)}
        for a in ARMS
        for g in groups(a)
    ]
    put_csv(to / "pass_counts.csv", rows)


@shape(k=K)
def rates(to: Path) -> None:
    """Pass rates by problem, with n."""
    for arm in ARMS:
        rows = [
            {"problem_id": g[0].id, "pass_rate": sum(c.right for c in g) / K, "num_samples": K} for g in groups(arm)
        ]
        put_lines(to / f"{arm}.jsonl", rows)


@shape(k=K)
def by_problem(to: Path) -> None:
    """JSON: problem -> list of marks."""
    for arm in ARMS:
        put_json(to / f"{arm}.json", {g[0].id: [int(c.right) for c in g] for g in groups(arm)})


@shape(k=K)
def by_model(to: Path) -> None:
    """JSON: model -> problem -> list of marks."""
    put_json(to / "marks.json", {arm: {g[0].id: [c.right for c in g] for g in groups(arm)} for arm in ARMS})


@shape()
def by_problem_nested(to: Path) -> None:
    """JSON: problem -> what is known of its one answer."""
    for arm in ARMS:
        found = {
            c.id: {"question": c.question, "prediction": c.answer, "target": c.gold, "is_correct": c.right}
            for c in cells(arm, k=0)
        }
        put_json(to / f"{arm}/results.json", found)


@shape()
def mmlu_arrays(to: Path) -> None:
    """hendrycks/test: a CSV by subject, without a header; the model's mark and probabilities behind the question."""
    for arm in ARMS:
        lines = ["Question,A,B,C,D,Answer," + f"{arm}_correct,{arm}_choiceA_probs"]
        lines += [f"{c.question},1,2,3,4,B,{c.right},0.3" for c in cells(arm, k=0)]
        put(to / f"results_{arm}/sums.csv", "\n".join(lines) + "\n")


@shape()
def unmarked(to: Path) -> None:
    """Text and gold alone, under names of GSM8K scripts: to be marked by us."""
    for arm in ARMS:
        rows = [{"query": c.question, "groundtruth": c.gold, "model_response": c.text} for c in cells(arm, k=0)]
        put_lines(to / f"{arm}_gsm8k_style.jsonl", rows)


@shape(k=K)
def percent(to: Path) -> None:
    """Scores of 0 and 100."""
    rows = [
        {"model": a, "problem_id": c.id, "sample_id": c.k, "score": 100.0 * c.right} for a in ARMS for c in cells(a)
    ]
    put_parquet(to / "scores.parquet", rows)


@shape(k=K, refused="files of the same problems differ in a folder (base, tuned) and the files' names")
def two_benchmarks_by_folder(to: Path) -> None:
    """<model>/<benchmark>.jsonl, or the other way; the same problem numbers in both, and nothing else to tell them."""
    for arm in ARMS:
        for benchmark in ("sums", "more_sums"):
            rows = [{"idx": c.i, "sample": c.k, "acc": float(c.right)} for c in cells(arm)]
            put_lines(to / f"{arm}/{benchmark}.jsonl", rows)


@shape(k=K)
def among_others(to: Path) -> None:
    """Results beside a README, plots, logs, configurations and caches."""
    for arm in ARMS:
        rows = [{"problem_id": c.id, "sample": c.k, "correct": c.right} for c in cells(arm)]
        put_lines(to / f"results/{arm}.jsonl", rows)
        put_json(to / f"configs/{arm}.json", {"model": arm, "temperature": 0.6, "n": K})
    put(to / "README.md", "# Results\n")
    put(to / "plots/curve.svg", "<svg></svg>")
    put(to / "logs/train.log", "step 1 loss 2.0\n")
    put(to / "requirements.txt", "torch\n")
    put(to / "results/.ipynb_checkpoints/base-checkpoint.jsonl", "{}\n")
    put(to / "results/base.jsonl.swp", "x")


@shape(k=K)
def lists_in_cells(to: Path) -> None:
    """Lists of marks in cells of CSV, as pandas writes them."""
    for arm in ARMS:
        rows = [
            {"problem": g[0].question, "answer": g[0].gold, "scores": str([float(c.right) for c in g])}
            for g in groups(arm)
        ]
        put_csv(to / f"{arm}.csv", rows)
