"""`rence verify`: whether a folder's files are those that were made, its marks those of its texts, and its texts those
of its weights. Reads; writes nothing. Beside it `rence grade FOLDER`, which writes marks (`adding_readings.py`)."""
