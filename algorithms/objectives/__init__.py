"""The algorithms, one file each, to be read beside its paper; `algorithms.registry` lists them by name.

Left out, and what each would need:

ShiQ      arXiv:2505.11081. Bellman consistency at every token: the log-partition of raw logits there, of learner and
          reference. Log-probs do not have it, and verl's pass over the reference returns log-probs alone. Nor could its
          loss be read in the authors' text.
RS-DPO    arXiv:2402.10038. Nothing: with verifiable labels all pairs that pass a threshold on the reward gap are all
          pairs, and so it is `group_dpo` with `ref_policy: init` and the recipe's `generator_sync_steps`.
DNO-Prct  arXiv:2404.03715. A judge that ranks answers and a teacher whose answers are among them; `dno` is its
          algorithm 1 with labels.
"""
