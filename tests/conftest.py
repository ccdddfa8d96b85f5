"""Settings for every test: how many examples a law is tried on."""

import os
import signal

from hypothesis import HealthCheck, settings

# "check" for `make check` (minutes matter), "full" for `make test` (the numbers the executable models were run with).
_EXAMPLES = {"check": 25, "full": 400}
_PROFILE = os.environ.get("TOUCHSTONE_EXAMPLES", "check")

for _name, _count in _EXAMPLES.items():
    settings.register_profile(
        _name,
        max_examples=_count,
        deadline=None,  # the machine is shared; time is measured in bench/
        print_blob=True,  # a failure prints how to see it again
        suppress_health_check=[HealthCheck.too_slow],
    )
if _PROFILE not in _EXAMPLES:
    raise ValueError(f"TOUCHSTONE_EXAMPLES is {_PROFILE!r}; expected one of {', '.join(_EXAMPLES)}")
settings.load_profile(_PROFILE)

# Started by a shell in the background, everything ignores Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
