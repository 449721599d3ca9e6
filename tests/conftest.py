"""For all tests."""

import signal

# A shell that starts the suite in the background makes it ignore SIGINT, and every program below it too; tests that
# press Ctrl-C need it to arrive.
signal.signal(signal.SIGINT, signal.default_int_handler)
