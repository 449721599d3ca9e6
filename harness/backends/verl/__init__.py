"""The verl backend: verl's own trainer, engines and rollout servers, extended through their public seams.

`backend.py` is how the rest of the program sees it, with the settings of `options.py`. Before anything starts:
`settings.py` puts a trial into verl's words, by the keys of `keys.py` (`agent_loop.yaml` names our agent loop to it),
`limits.py` refuses what cannot be, `installed.py` knows which packages are lacking. `platform.py` says what a process
of a CPU run needs in its environment, and checks that a worker has it; `cpu.py` is verl's CPU platform, loaded by verl
through the entry-point group `verl.plugins`. `isolation.py` keeps trials apart that share a cluster or a machine; both
change modules of others by `patching.py`.

A trial, in the order of its path: `session.py` starts or joins Ray, `room.py` knows what the trial needs there, and
`turns.py` when it may take it; `trainer.py` is the loop, `buffer.py` makes a rollout batch of what `sampling.py` has
generated and `marking.py` marked, `minibatches.py` orders it, `columns.py` carries it to the workers, `workers.py`
learns from it by `objective.py`, and `checkpoint.py` says what is kept. `packing.py` asks the model, before the first
step, whether it keeps packed sequences apart.

Importing this package imports neither torch nor Ray nor verl.
"""
