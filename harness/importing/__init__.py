"""`rence import`: results made elsewhere become a run folder, to be reported, compared and gated like our own.

    sources (paths and names) -> attempts | generations | verl | lm_eval | lighteval (rows) -> evaluations (checks)
    -> design (arms, seeds, points, the comparison) -> folder (written whole, or not at all)

Nothing is filled in and nothing is averaged away. What a source does not say stays unknown: an empty cell in a file,
`unknown` in a header. What contradicts itself is refused, with its place.

Raises, everywhere in this package: records.DataError for what a file holds, errors.UserError for what was asked.
"""
