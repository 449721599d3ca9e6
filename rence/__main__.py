"""`python -m rence` is `rence`."""

from rence import main

main()
