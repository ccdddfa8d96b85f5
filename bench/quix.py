"""The peer: Quix Streams doing de-duplication, re-keying and a journey, exactly once, as its documentation has it.

Runs in an environment of its own (bench/peer_venv.py), started by bench/peer_quix.py as
`python -m bench.quix BOOTSTRAP SOURCE TARGET GROUP STATE_DIR COUNT`. It reads COUNT touchpoints in JSON, writes one record in JSON for each
change of phase, keyed by the person, and says at its end in one line of JSON what that took.
"""

import resource
import sys
import time
from typing import Any

import msgspec
from quixstreams import Application, State
from quixstreams.state.recovery import RecoveryManager, RecoveryPartition

PHASES = ("awareness", "interest", "decision", "purchase", "use", "loyalty", "advocacy")
LEADS_TO = {"search": "interest", "cart_add": "decision", "order_paid": "purchase", "delivered": "use", "review": "advocacy"}
COMMIT_INTERVAL_S = 0.5
"""As a worker of Touchstone commits while more than a poll waits (`commit_interval_behind_ms`)."""
PATIENCE_S = 60.0
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


class Count:
    """How many records were processed; stops the application after the last. `first_s` is when the first was."""

    def __init__(self, last: int) -> None:
        self._last = last
        self.app: Application | None = None
        self.processed = 0
        self.first_s = 0.0

    def __call__(self, _topic: str, _partition: int, _offset: int) -> None:
        """A record was processed."""
        if not self.processed:
            self.first_s = time.monotonic()
        self.processed += 1
        if self.processed == self._last and self.app is not None:
            self.app.stop()


class Recovery:
    """When the library began to read changelogs and when it had the last record of them, and how many they were."""

    def __init__(self) -> None:
        self.records = 0
        self.begin_s = 0.0
        self.end_s = 0.0

    def watch(self) -> None:
        """Look on from now on: the library says how far it is every ten seconds only."""
        begin, take = RecoveryManager.do_recovery, RecoveryPartition.recover_from_changelog_message

        def do_recovery(manager: RecoveryManager) -> None:
            self.begin_s = self.begin_s or time.monotonic()
            begin(manager)

        def recover(partition: RecoveryPartition, changelog_message: Any) -> None:
            take(partition, changelog_message)
            self.records += 1
            self.end_s = time.monotonic()

        RecoveryManager.do_recovery = do_recovery
        RecoveryPartition.recover_from_changelog_message = recover


def main() -> int:
    """Run until so many touchpoints were read."""
    bootstrap, source, target, group, folder, count = sys.argv[1:]
    done, recovery = Count(2 * int(count)), Recovery()  # each is read twice: as it came, and under the person's key
    recovery.watch()
    app = done.app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=COMMIT_INTERVAL_S,
        processing_guarantee="exactly-once",
        state_dir=folder,
        loglevel="WARNING",
        on_message_processed=done,
    )
    touchpoints = app.topic(source, value_deserializer="bytes", key_deserializer="bytes")
    moments = app.topic(target, value_serializer="bytes", key_serializer="str")
    frame = app.dataframe(touchpoints).apply(_decode)
    frame = frame.group_by(person_of, name="person").filter(is_new, stateful=True).apply(fold, stateful=True, expand=True)
    frame.apply(_encode).to_topic(moments)
    app.run(timeout=PATIENCE_S, collect=False)
    used = resource.getrusage(resource.RUSAGE_SELF)
    said = {
        "processed": done.processed,
        "cpu_s": used.ru_utime + used.ru_stime,
        "restored": recovery.records,
        "restore_s": recovery.end_s - recovery.begin_s,
        "until_first_s": done.first_s - recovery.begin_s,
        "topics": [topic for topic in app._topic_manager.all_topics if topic not in {source, target}],  # noqa: SLF001 - said nowhere else
    }
    print(_encode(said).decode(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
