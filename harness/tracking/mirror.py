"""Mirrors one run folder: an MLflow run for the folder, and a child for each trial and for the untrained model."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from statistics import fmean

from harness.records import (
    START,
    ArmRecord,
    DoneRecord,
    EvalFolder,
    Plan,
    RunFolder,
    TrialFolder,
    TrialRecord,
    chain,
)
from harness.records.files import real_path
from harness.tracking import describe
from harness.tracking.files import (
    EvaluationCounts,
    MetricRow,
    Tail,
    began,
    begun,
    evaluated,
    modified,
    read_verdict,
    step_row,
    verdict_numbers,
)
from harness.tracking.names import encode
from harness.tracking.runs import FAILED, FINISHED, KILLED, RUNNING, RunWriter
from harness.tracking.store import connect, speaking_to, store_uri
from harness.tracking.tree import RunTree


class Mirror:
    """What MLflow shows of one run folder. One writer at a time: the driver, or a command after the fact.

    Idempotent: what MLflow holds already is not written again, by this process or by a later one. Steps that a
    resume cut back and trained again are not written twice; on a backend that is not deterministic MLflow keeps
    the first ones' numbers, and the files have the true ones.

    Training metrics and scores stand at the rollout step; `eval_by_rollouts/...` has the scores once more at the
    rollouts of the evaluation grid, where arms are compared. The parent has the means over seeds and the verdict.
    """

    def __init__(self, folder: RunFolder, plan: Plan, uri: str, runs: RunTree) -> None:
        """Use `open`."""
        self.uri = uri
        self._folder = folder
        self._plan = plan
        self._trials = [(arm, seed) for arm in plan.arms for seed in plan.seeds]
        self._runs = runs
        self._tails: dict[str, Tail] = {}
        self._evaluated: dict[Path, EvaluationCounts] = {}
        self._names: dict[str, str] = {}
        self._complete: set[str] = set()

    @classmethod
    def open(cls, root: Path, uri: str | None = None) -> Mirror:
        """Find the run folder's MLflow run, or begin one.

        Args:
            root: a run folder with its `plan.json`.
            uri: an MLflow tracking URI; by default `store_uri` of the folder that holds the run folder.

        Raises: Unavailable if MLflow is; DataError if the run folder has no readable plan.
        """
        folder = RunFolder(real_path(root))
        plan = Plan.read(folder.plan)
        uri = uri or store_uri(folder.root.parent)
        client, experiment_id = connect(uri, plan.experiment)
        with speaking_to(uri):
            return cls(folder, plan, uri, RunTree(client, experiment_id, folder, plan))

    def sync(self) -> None:
        """Write what is new in the run folder. Raises: Unavailable, DataError."""
        with speaking_to(self.uri):
            written = self._sync_start()
            written += sum(self._sync_trial(arm, seed) for arm, seed in self._trials)
            if written:
                self._runs.parent.set_status(RUNNING)
            self._sync_parent()

    def close(self, status: str | None = None, crashed: Collection[str] = ()) -> None:
        """Sync once more and set how it all ended. Raises: Unavailable, DataError.

        Args:
            status: of the run as a whole: FINISHED, FAILED or KILLED. By default FAILED if a trial crashed, FINISHED
                if all that were begun are complete, else KILLED.
            crashed: trials that crashed, as `<arm>/seed<k>`; any other that is not complete was killed.
        """
        self.sync()
        cut_short = self._runs.children.keys() - self._complete
        found = chain.check(self._folder.root)
        with speaking_to(self.uri):
            # whoever looks at MLflow alone must not take for sound what a report would refuse
            self._runs.parent.set_tags(describe.seal_tags(found))
            for name in cut_short:
                self._runs.children[name].set_status(FAILED if name in crashed else KILLED)
            finished = bool(self._complete) and not cut_short
            self._runs.parent.set_status(status or (FAILED if crashed else FINISHED if finished else KILLED))

    def _sync_start(self) -> int:
        folder = TrialFolder(self._folder.root / START)
        if START in self._complete or not begun(folder):
            return 0
        evaluations = [self._folder.start_eval(benchmark) for benchmark in self._plan.benchmarks]
        child = self._runs.child(START, "untrained model", describe.start_tags(), began(folder))
        written = self._write_evaluations(child, evaluations)
        if all(evaluation.root in self._evaluated for evaluation in evaluations):
            self._end(START, child, FINISHED, max(modified(evaluation.attempts) for evaluation in evaluations))
        elif written:
            child.set_status(RUNNING)
        return written

    def _sync_trial(self, arm: ArmRecord, seed: int) -> int:
        folder, name = self._folder.trial(arm.name, seed), describe.trial_name(arm.name, seed)
        if name in self._complete or not begun(folder):
            return 0
        done = DoneRecord.read(folder.done) if folder.done.exists() else None  # before its last steps are read
        child, tail = self._trial(name, arm, seed, folder)
        written = self._write(child, [step_row(line, modified(folder.steps)) for line in tail.read()])
        written += self._write_evaluations(child, folder.evals())
        if done:
            child.set_tags({"outcome": done.status, "reason": done.reason})
            child.upload(folder.done)
            self._end(name, child, FINISHED if done.status == "finished" else FAILED, modified(folder.done))
        elif written:
            child.set_status(RUNNING)
        return written

    def _end(self, name: str, child: RunWriter, status: str, ended: float) -> None:
        child.set_status(status, ended)
        self._complete.add(name)

    def _trial(self, name: str, arm: ArmRecord, seed: int, folder: TrialFolder) -> tuple[RunWriter, Tail]:
        if name not in self._tails:
            record = TrialRecord.read(folder.trial)
            tags = describe.trial_tags(arm, record)
            child = self._runs.child(name, describe.trial_title(arm, seed), tags, began(folder))
            child.set_params(describe.trial_params(self._plan, arm, seed))
            child.set_inputs([(self._plan.train, record.data_order)], "train")
            child.upload(folder.trial)
            self._tails[name] = Tail(folder.steps)
        return self._runs.children[name], self._tails[name]

    def _sync_parent(self) -> None:
        parent, folder = self._runs.parent, self._folder
        headers = [evaluation.header for evaluation in self._evaluated.values()]
        parent.set_inputs(sorted({(header.benchmark, header.benchmark_hash) for header in headers}), "eval")
        self._write(parent, list(self._means()))
        verdict = folder.report / "verdict.json"
        if verdict.exists():
            numbers = verdict_numbers(read_verdict(verdict))
            self._names |= {encode(name): name for name in numbers}
            parent.write_latest(numbers, modified(verdict))
        parent.upload_json(self._names, "metric_names.json")
        for path in (folder.config, folder.resolved, folder.plan):
            parent.upload(path)
        for path in sorted(folder.report.rglob("*")):
            parent.upload(path, path.parent.relative_to(folder.root).as_posix())

    def _write_evaluations(self, child: RunWriter, folders: list[EvalFolder]) -> int:
        rows: list[MetricRow] = []
        for folder in folders:
            if folder.root not in self._evaluated and (complete := evaluated(folder)):
                self._evaluated[folder.root] = complete
                rows += complete.rows()
        return self._write(child, rows)

    def _means(self) -> Iterator[MetricRow]:
        """The mean over seeds of an arm's score, at the points of the grid that all its seeds have reached."""
        scores: dict[tuple[str, str, int], dict[int | None, float]] = {}
        for evaluation in self._evaluated.values():
            header = evaluation.header
            scores.setdefault((header.benchmark, header.arm, header.grid), {})[header.seed] = evaluation.score
        for (benchmark, arm, grid), by_seed in scores.items():
            if arm == START or by_seed.keys() == set(self._plan.seeds):
                name = f"eval_by_rollouts/{benchmark}/{arm}"
                yield MetricRow(grid, modified(self._folder.plan), {name: fmean(by_seed.values())}, sentinel=name)

    def _write(self, run: RunWriter, rows: list[MetricRow]) -> int:
        self._names |= {encode(name): name for row in rows for name in row.numbers}
        return run.write(rows)
