"""Before training: the locked plan, what it will cost, and the trials that choose settings."""
