"""Files of others, opened: JSON, JSON lines, CSV, TSV, Parquet and inspect's `.eval`, plain, `.gz` or `.zst`.

    opening    a path -> a text, whatever it was packed in; what is no such file is refused in words
    documents  a path -> its documents, one after another, each with its place: a JSON value, a line, a row

A file's name says how it is packed, its content which kind of text it is. Nothing here knows what rows mean.
Raises, everywhere in this room: records.DataError that names file and line.
"""
