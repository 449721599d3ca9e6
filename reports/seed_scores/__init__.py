"""Runs that hold scores without problems (`rence import scores`): what seeds alone can tell.

    found.py        the files, read; matrices of seeds for each arm and benchmark
    compared.py     means, differences and their families
    best_step.py    what reporting the best checkpoint adds over reporting the last
    numbers.py      percent, or numbers of no known scale, in words
    sentences.py    the verdict
    sections_of.py pictures.py    the page
    as_json.py      verdict.json
    sides.py        `rence compare` of two arms
    contents.py     all files of the report

Nothing here speaks of problems: there are none. What needs them is absent, and said to be.
"""
