"""Asynchronous union-find, one identifier at a time."""

from collections import deque
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from touchstone.identity.union import unite
from touchstone.model.message import Absorb, Unite


def hook(x: str) -> tuple[int, str]:
    """`a` hooks lowest."""
    return ord(x), x


def test_a_root_hangs_itself_on_an_identifier_that_hooks_lower_and_hands_its_component_on() -> None:
    """The journey stage moves what it knows."""
    assert unite("b", "b", "a", hook) == ("a", Absorb("b", "a"))


def test_a_root_that_hooks_lower_asks_the_other_to_come() -> None:
    """Only the higher one may hang itself up."""
    assert unite("a", "a", "b", hook) == ("a", Unite("b", "a"))


def test_an_identifier_that_hangs_already_sends_the_union_to_the_higher_of_the_two() -> None:
    """Its pointer stays; its root and the other must come together."""
    assert unite("c", "b", "a", hook) == ("b", Unite("b", "a"))
    assert unite("c", "a", "b", hook) == ("a", Unite("b", "a"))


def test_what_is_united_already_needs_no_message() -> None:
    """With itself, and with the root it hangs on."""
    assert unite("a", "a", "a", hook) == ("a", None)
    assert unite("b", "a", "a", hook) == ("a", None)


def test_an_identifier_that_is_asked_to_unite_with_itself_keeps_its_root() -> None:
    """A message that went round: its root is told to come to it, which it does not do, for it hooks lower."""
    assert unite("b", "a", "b", hook) == ("a", Unite("b", "a"))


@given(
    pairs=st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=12),
    random=st.randoms(use_true_random=False),
)
def test_any_order_of_messages_unites_exactly_what_was_asked(pairs: list[tuple[str, str]], random: Random) -> None:
    """Pointers never run in a circle, the messages end, and each root hands its component on at most once."""
    roots = {x: x for x in "abcdef"}
    waiting = deque(Unite(x, y) for x, y in pairs)
    absorbed: list[str] = []
    for _ in range(2000):
        if not waiting:
            break
        waiting.rotate(random.randrange(len(waiting)))
        message = waiting.popleft()
        root, sent = unite(message.to, roots[message.to], message.other, hook)
        assert root == message.to or hook(root) < hook(message.to)
        roots[message.to] = root
        if isinstance(sent, Absorb):
            absorbed.append(sent.to)
        elif sent is not None:
            waiting.append(sent)

    assert not waiting
    assert len(absorbed) == len(set(absorbed))
    assert {_top(roots, x) for x in roots} == {min(group) for group in _groups(pairs)}
    assert all(_top(roots, x) == _top(roots, y) for x, y in pairs)


def _top(roots: dict[str, str], x: str) -> str:
    while roots[x] != x:
        x = roots[x]
    return x


def _groups(pairs: list[tuple[str, str]]) -> list[set[str]]:
    groups = [{x} for x in "abcdef"]
    for x, y in pairs:
        met = [group for group in groups if x in group or y in group]
        groups = [group for group in groups if group not in met] + [set().union(*met)]
    return groups
