"""The frozen-batch diff: what each algorithm does with the same recorded rollout batch. `rence diff` is its command.

    asked.py     the words of the command -> algorithms
    frozen.py    a batch to run them on: shipped, recorded by the local backend, or a dump of verl's (`dumped.py`)
    weights.py   an algorithm's filter, credit and loss on the batch -> a weight for every token
    gradients.py the weights through the model -> a gradient for every algorithm
    summary.py   numbers of one algorithm; compare.py the whole document, which `reports` draws

Nothing is drawn at random but what an algorithm itself draws, by seed, step and problem as in training. To hand
over another quantity of the forward pass that an objective differentiates: `quantities` in `gradients.py`.
Importing this package needs no torch; only `asked.py` can be used without it.
"""
