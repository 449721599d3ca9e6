"""`rence import`: results made elsewhere become a run folder, to be reported, compared and gated like our own.

    sources (paths and names) -> readers (a file part by part) -> attempts | verl | lm_eval | recognised (by `shapes`)
    (tables of attempts) -> spool (on disk, by evaluation) -> common (of --common: counts, then what all have)
    -> measuring (one evaluation: ordered, checked, written) -> evaluations (checks of all together)
    -> import_plan (arms, seeds, points, the comparison) -> folder (written whole, or not at all)

Two sources that the shapes know too have a reader of their own besides. `lm_eval`: of tasks of ours each response is
marked by its row's rule and the mean held against the recorded `avg@k`, beside other tasks in one folder, while a shape
has one layout and is marked one way. `verl`: of an answer in several turns the last counts, wherever in the file it
stands, and `rence diff` reads rollouts as columns. Where a tool's results say what is true of all answers is told once,
in `shapes.families`.

What is in memory are a part of a file, or a file of verl, lm-eval and lighteval, which is one evaluation or a few, and
then the largest evaluation. Nothing is filled in and nothing is averaged away. What a source does not say stays
unknown: an empty cell in a file, `unknown` in a header. What contradicts itself is refused, with its place, in the same
words whatever the parts were.

Raises, everywhere in this package: records.DataError for what a file holds, errors.UserError for what was asked.
"""
