"""Files of problems: JSON lines (`jsonl.py`), files of the hub (`hub.py`), and the cleaning of what they hold."""
