"""`rence import`: results made elsewhere become a run folder, to be reported, compared and gated like our own.

    sources (paths and names) -> readers (a file part by part) -> attempts | verl | lm_eval | recognised (by `shapes`)
    (tables of attempts) -> spool (on disk, by evaluation) -> common (of --common: counts, then what all have)
    -> measuring (one evaluation: ordered, checked, written) -> evaluations (checks of all together)
    -> import_plan (arms, seeds, points, the comparison) -> folder (written whole, or not at all)

What is in memory are a part of a file, or a file of verl, lm-eval and lighteval, which is one evaluation or a few, and
then the largest evaluation. Nothing is filled in and nothing is averaged away. What a source does not say stays
unknown: an empty cell in a file, `unknown` in a header. What contradicts itself is refused, with its place, in the same
words whatever the parts were.

Raises, everywhere in this package: records.DataError for what a file holds, errors.UserError for what was asked.
"""
