"""The peer: Quix Streams doing de-duplication, re-keying and a journey, exactly once, as its documentation has it.

Runs in an environment of its own (`uv pip install "quixstreams==3.28.*" fastavro msgspec`), started as
`PYTHONPATH=agents:. python -m bench.quix BOOTSTRAP SOURCE TARGET GROUP STATE_DIR COUNT`; it reads COUNT touchpoints in JSON and writes
one record in JSON for each change of phase, keyed by the person.
"""

import sys
from typing import Any

import msgspec
from quixstreams import Application, State

PHASES = ("awareness", "interest", "decision", "purchase", "use", "loyalty", "advocacy")
LEADS_TO = {"search": "interest", "cart_add": "decision", "order_paid": "purchase", "delivered": "use", "review": "advocacy"}
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def person_of(touchpoint: dict[str, Any]) -> str:
    """The first identifier, by which the journey is keyed."""
    kind, value = next(iter(touchpoint["identifiers"].items()))
    return f"{kind}:{value}"


def is_new(touchpoint: dict[str, Any], state: State) -> bool:
    """Whether this touchpoint of the person was not there before."""
    key = f"seen:{touchpoint['event_id']}"
    if state.exists(key):
        return False
    state.set(key, 1)
    return True


def fold(touchpoint: dict[str, Any], state: State) -> list[dict[str, Any]]:
    """The change of phase that the touchpoint causes, if any; forward only."""
    before, after = state.get("phase"), LEADS_TO.get(touchpoint["type"])
    if after is None or (before is not None and PHASES.index(after) <= PHASES.index(before)):
        return []
    state.set("phase", after)
    return [{"person": person_of(touchpoint), "from": before, "to": after, "touchpoint": touchpoint["event_id"]}]


def main() -> int:
    """Run until so many touchpoints were read."""
    bootstrap, source, target, group, folder, count = sys.argv[1:]
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=0.1,
        processing_guarantee="exactly-once",
        state_dir=folder,
        loglevel="WARNING",
    )
    touchpoints = app.topic(source, value_deserializer="bytes", key_deserializer="bytes")
    moments = app.topic(target, value_serializer="bytes", key_serializer="str")
    frame = app.dataframe(touchpoints).apply(_decode)
    frame = frame.group_by(person_of, name="person").filter(is_new, stateful=True).apply(fold, stateful=True, expand=True)
    frame.apply(_encode).to_topic(moments)
    app.run(count=2 * int(count), timeout=20.0, collect=False)  # each is read twice: as it came, and under the person's key
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
