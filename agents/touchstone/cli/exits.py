"""The exit codes of every command."""

FAILED = 1
USAGE = 2
INTERNAL = 70
INTERRUPTED = 130
UNHEARD = 141  # as a shell counts SIGPIPE: whoever read the output has gone
