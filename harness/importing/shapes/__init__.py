"""The shapes of other people's files, as data: what a tool calls things, and where it puts them.

    paths       places in a record, as people write them
    vocabulary  names that keys have, for every role of a value
    family      what is known of one tool's files; `families` lists them, `family_examples` has files of each
    tree, containers, flat   where rows and answers are, whatever they are nested in
    judging, sampled, result_roles, resolve   which value has which role, by names and by values
    known_texts              benchmarks known by the texts of their problems
    not_ids                  ids that are called like those of problems and are none
    repeats                  answers that are there again
    arm_columns              columns that somebody says are named for arms
    naming, whose            arm, seed, step and benchmark of each file, by its rows, its name and its folders
    recognise                all of that for some files; `missing` and `unclear_paths` say what they do not tell
    shape_parts, converting  the answers, part by part, as attempts

Rows of a tool that nobody has named here are read by names and values alone, so most need no family. To add one, a few
lines in `families`:

    Family(
        name="my tool's results",                    # what `rence import` calls them
        signs=("doc.query", "model_response.text"),  # paths, or ends of paths, that its files all have
        roles={"question": ("doc.query",), "correct": ("metric.{metric}",)},  # only what names do not tell
        file_name=r"details_(?P<benchmark>.+)_(?P<time>...)",  # roles in a file's name, if any
        example={"base/details_sums_2025-01-01.jsonl": [...rows...]},  # or one document
        expected={"base": "1/2"},                    # correct/attempts of each arm in the example
    )

`rence check "my tool's results"` then imports the example, also with its folders renamed and its rows turned round, and
without each key in turn: the same numbers, or a refusal. A new synonym is a word in `vocabulary`.
Order matters: the first family whose signs are there is taken, so one with more signs stands before one with fewer.
"""
