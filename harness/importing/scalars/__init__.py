"""`rence import scores`: scores without problems, one number for each arm, seed, benchmark and step.

    scalar_sources.py   a path -> its files, and which shape each has: `SHAPES`, as data
    scalar_tables.py    CSV, JSON, JSON lines and Parquet as columns of cells
    events.py mlflow_runs.py    the same of TensorBoard and of MLflow
    vocabulary.py       what tools call arm, seed, benchmark, step and score: as data
    run_labels.py       `base-seed0` -> arm and seed; the same of a path
    layouts.py          how a table is laid out, and which metric is the score
    resolving.py        tables -> rows of arm, seed, benchmark, step, score
    empty_cells.py      gaps, and runs that have nothing else
    checking.py         numbers, units, copies and contradictions
    scores_folder.py    the run folder
    bring.py            all of it

A tool with another name for a column is a word in `vocabulary.py`; one with another kind of file is a `ScalarShape`.
"""
