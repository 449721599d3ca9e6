"""The frozen-batch diff: what each algorithm does with the same recorded rollout batch. `rence diff` is its command.

    asked.py     the words of the command -> algorithms
    frozen.py    a batch to run them on: shipped, recorded by the local backend, or a dump of verl's (`dumped.py`)
    summary.py   numbers of one algorithm; compare.py the whole document, which `reports` draws

Weights of tokens and gradients are made in harness/backends/local (`token_weights.py`, `gradients.py`), by which
training measures its objective, too. Nothing is drawn at random but what an algorithm itself draws, by seed, step and
problem as in training. To hand over another quantity of the forward pass that an objective differentiates: `quantities`
in `gradients.py`.
Importing this package needs no torch; only `asked.py` can be used without it.
"""
