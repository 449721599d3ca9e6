"""A backend of another package: REINFORCE with the group's mean as its baseline, and an engine of its own."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Annotated

from annotated_types import Ge, Gt

import rence
from rence.backends import StepRecord, append_jsonl, checkpoints, model_hash


@dataclass(frozen=True)
class PlainSettings:
    """The step of the loop, and where it runs."""

    step_size: Annotated[float, Gt(0)] = 0.05
    """of SGD"""
    cores: Annotated[int, Ge(1)] = field(default=1, metadata=rence.RUNTIME)
    """of the processor, for one trial"""


class PlainEngine:
    name, version = "plain", "1"

    def __init__(self, model):
        self.model, self.positions = model, model.net.config.max_position_embeddings

    def generate(self, requests, sampling):
        from rence.backends import sample

        drawn = sample(self.model.net, requests, sampling, self.model.stop)
        ends = zip(self.model.decode(drawn.tokens_BT, drawn.length_B), drawn.length_B, drawn.stopped_B, strict=True)
        done = (rence.Completion(text, int(length), "stop" if stopped else "length") for text, length, stopped in ends)
        return [[next(done) for _ in request.seeds] for request in requests]


class PlainBackend(rence.Backend):
    """REINFORCE by a plain loop."""

    settings = PlainSettings

    def mistakes(self, experiment):
        yield from super().mistakes(experiment)
        if experiment.evaluation.temperature == 0:
            yield rence.Mistake((("evaluation", "temperature"),), "`temperature` must be above 0 with backend `plain`.")

    def slots(self, experiment, room):
        return max(1, room // experiment.backend_settings.cores)

    def costs(self, experiment):
        return rence.BackendCosts(
            rence.Throughput("core", 1e9, 1e9, "a guess"), experiment.backend_settings.cores, state_copies=1
        )

    def start_engine(self, experiment, model):
        from rence.backends import load_model

        return PlainEngine(load_model(model))

    def train(self, trial, model, prompts, folder, evaluate, observer):
        import torch

        from rence.backends import render, sample

        recipe, budget, newest = trial.arm.recipe, trial.experiment.budget_rollouts, checkpoints.newest(folder)
        done = checkpoints.read_progress(newest) if newest else checkpoints.TrainingProgress()
        engine = self.start_engine(trial.experiment, newest or model)
        net, tokenizer, size = engine.model.net, engine.model.tokenizer, recipe.group_size
        sgd = torch.optim.SGD(net.parameters(), trial.experiment.backend_settings.step_size)
        checkpoints.cut_back(folder.steps, done.step)
        while True:
            weights = model_hash(folder.checkpoint(done.step)) if done.step else ""
            if done.grid:
                evaluate(engine, rence.Checkpoint(done.step, done.rollouts, done.grid, weights))
            if done.rollouts >= budget:
                return done.result(weights)
            taken, tokens = prompts.take(done.cursor, recipe.prompts_per_step), 0
            for prompt in taken:
                ids = render(tokenizer, prompt.problem, trial.experiment.template)
                seeds = tuple(prompt.sample_seed(trial.seed, k) for k in range(size))
                drawn = sample(net, [rence.Request(ids, seeds)], rence.Sampling(recipe.max_tokens), engine.model.stop)
                texts = engine.model.decode(drawn.tokens_BT, drawn.length_B)
                marks = rence.mark_all(
                    [rence.Response(text, prompt.problem.gold, prompt.problem.rule, False) for text in texts]
                )
                reward = torch.tensor([float(one.mark == "correct") for one in marks])
                for row, length, gain in zip(drawn.tokens_BT, drawn.length_B, reward - reward.mean(), strict=True):
                    logp_TV = net(torch.cat([torch.tensor(ids), row[:length]])[None]).logits[0].log_softmax(-1)
                    logp_T = logp_TV[len(ids) - 1 : -1].gather(1, row[:length, None])
                    (-gain * logp_T.sum() / (size * len(taken))).backward()
                tokens += int(drawn.length_B.sum())
            sgd.step(), sgd.zero_grad()
            batch = SimpleNamespace(rollouts=size * len(taken), tokens=tokens, generated=taken, discarded=0)
            done = done.after(batch, done.updates + 1, trial.experiment.grid_rollouts)
            observer.on_step(record := StepRecord(done.step, done.rollouts, done.tokens, done.updates, done.cursor))
            append_jsonl(folder.steps, [record.to_json()])
            with checkpoints.writing(folder, done) as new:
                net.save_pretrained(new), tokenizer.save_pretrained(new)
