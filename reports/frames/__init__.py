"""Results for people who compute on: what `rence.load` gives, its tables as pandas DataFrames, its pictures.

loaded.py              `Results`: a run, an import, or a folder of `rence eval`, read when it is asked
kinds.py opening.py    which of these a folder is, and its analysis
frame_columns.py       the table of all tables: columns, types, units; docs/reference/python.md is written from it
framing.py             frames are made by it
compared.py            two arms or models
score_frames.py answer_frames.py curve_frames.py    the numbers of the report's own code, in rows
pictures.py            the report's pictures, on axes of anyone
shown.py               what a terminal and a notebook print

No number is computed here a second time: everything comes from `reports.data` and `reports.statistics`.
"""
