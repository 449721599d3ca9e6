"""The sections of a report: one file each, with the computation and the section it fills.

To add one, a file `<slug>.py` here: a docstring whose first line `rence list sections` prints, and

    def section(a: Analysis) -> Section | None:

which returns a `Section` of that slug, or None where there is nothing to show. It is found without another edit, and
comes before the notes; `ORDER` in `registry.py` gives it another place. A column of attempts is `a.run.column(e, name)`
(`harness/records/schema.py`). In another package: an entry point (docs/how-to/plugins.md).

All formats render it, and `section_contract.py` holds it to what every section must keep: same files, same bytes, so no
dates, times or order of sets; what is missing is a gap or a note, never a zero.
"""
