"""How a problem becomes a prompt (`templates.py`), and the prompts of a seed as a stream (`stream.py`)."""
