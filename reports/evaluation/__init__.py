"""One evaluated model: avg@k with its interval, pass@k, maj@k, and the table that a terminal shows."""
