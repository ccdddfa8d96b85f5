"""A private hook that is gone is named before anything runs."""

import pytest

from touchstone.errors import UsageError
from touchstone.runtime.compatibility import HOOKS, Hook, check_compatibility


def test_all_hooks_are_there() -> None:
    """The versions that are installed have everything the runtime stands on."""
    check_compatibility()


def test_every_hook_that_is_gone_is_named_with_what_it_was_for() -> None:
    """The message says which hook, which version was expected and which was found, and what to install."""
    gone = (
        Hook("aiokafka", "aiokafka.producer.sender", "Sender._vanished", "flying"),
        Hook("faust-streaming", "faust.no_such_module", "X", "swimming"),
    )

    with pytest.raises(UsageError) as caught:
        check_compatibility((*HOOKS, *gone))

    text = str(caught.value)
    assert r"aiokafka.producer.sender.Sender._vanished (for flying): expected in aiokafka 0.14.x, not found in aiokafka 0.14." in text
    assert "faust.no_such_module.X (for swimming)" in text
    assert "faust-streaming==0.15.*" in text
