"""`python -m harness.cli` is `rence`."""

from harness.cli import main

main()
