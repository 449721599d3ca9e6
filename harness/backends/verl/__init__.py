"""The verl backend: verl's own trainer, engines and rollout servers, extended through their public seams.

Before anything starts: `settings.py` puts a trial into verl's words (`agent_loop.yaml` names our agent loop to it),
`limits.py` refuses what cannot be. `platform.py` says what a process of a CPU run needs in its environment, and checks
that a worker has it; `cpu.py` is verl's CPU platform, loaded by verl through the entry-point group `verl.plugins`.

A trial, in the order of its path: `backend.py` starts Ray, `trainer.py` is the loop, `buffer.py` makes a rollout batch
of what `sampling.py` has generated and `marking.py` marked, `minibatches.py` orders it, `columns.py` carries it to the
workers, `workers.py` learns from it by `objective.py`, and `checkpoint.py` says what is kept.

Importing this package imports neither torch nor Ray nor verl.
"""
