"""For Python users of a moments topic: the consumer's rule, applied.

The whole protocol is: *keep the highest revision of each moment id*. `Moments` keeps it, and says of every record whether it changes what
you believe: a moment asserted, taken back, or replaced by another statement. Records that change nothing (read twice, overtaken by a
newer revision) are swallowed.

Without Kafka, one object for any number of records:

    moments = Moments()
    for moment in records:
        change = moments.apply(moment)

With Kafka, inside an event loop:

    async with Moments("127.0.0.1:9092", group="mailer") as moments:
        async for change in moments:
            ...

What it remembers, and where that comes from after a restart:

* The rule needs the highest revision seen of each moment. That memory lives in this process, one per partition, and is never stored
  elsewhere: the topic itself is the store. Whenever a partition becomes ours (start, restart, rebalance), its memory is rebuilt by
  reading that partition from its beginning up to the position of the group, silently; only what lies behind is reported.
* A moment's revisions all lie in one partition (the key is the customer id), so members of a group never need each other's memory.
* Positions are committed after you asked for the next change: you have then dealt with the ones before. After a crash the last changes
  may therefore be reported again (at least once). They carry `moment_id` and `revision`; store both, and a repetition is recognised.
* Without a group every run begins at the beginning, and all changes are reported.
* A moment is forgotten once its newest revision is older than `retention`, counted from the newest record of its partition; by then
  the topic has deleted it, too, and Touchstone says nothing more about it. Memory is thus bounded by what the topic holds.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Literal, Self

import msgspec

from touchstone.contracts.codec import reading_codec
from touchstone.errors import UsageError
from touchstone.model.output import Moment
from touchstone.runtime.replay import ReplayingReader

RETENTION = timedelta(days=400)
"""How long moments topics keep their records unless the topology says otherwise (`moments_retention`)."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a record changed. `before` is what was believed, `after` what is to be believed now.

    asserted: only `after`; retracted: only `before`; replaced: both. Where the assertion is not known (it was read before our time),
    `before` of a retraction is what the retraction itself says was asserted. `moment` is the record that made the change.
    """

    what: Literal["asserted", "retracted", "replaced"]
    moment: Moment
    before: Moment | None
    after: Moment | None


class Moments:
    """A reader that keeps the highest revision of each moment id, per partition.

    Args:
        bootstrap: where Kafka is, `host:port`; needed only for `async with`.
        topic: a topic of moments: `moments.v1` or a further output of the topology.
        group: the consumer group that shares the partitions and keeps the positions; None reads everything, every time.
        retention: after how long a moment is forgotten; not less than the topic's own retention.
    """

    def __init__(
        self, bootstrap: str | None = None, *, topic: str = "moments.v1", group: str | None = None, retention: timedelta = RETENTION
    ) -> None:
        self._bootstrap, self._topic, self._group = bootstrap, topic, group
        self._retention_ms = round(retention.total_seconds() * 1000)
        self._memory: dict[int, OrderedDict[str, Moment]] = {}
        self._newest: dict[int, int] = {}
        self._reader: ReplayingReader | None = None

    def apply(self, moment: Moment, partition: int = 0) -> Change | None:
        """Take in one record; None where it changes nothing that was believed.

        Records may come repeatedly and in any order. `partition` says whose memory it belongs to; without Kafka leave it alone.
        """
        memory = self._memory.setdefault(partition, OrderedDict())
        known = memory.get(moment.moment_id)
        if known is not None and moment.revision <= known.revision:
            return None
        memory[moment.moment_id] = moment
        memory.move_to_end(moment.moment_id)
        self._forget_old(memory, partition, moment.detected_at)
        return _change(known, moment)

    def standing(self) -> list[Moment]:
        """What is asserted now, as far as remembered, in the order in which it happened."""
        asserted = [moment for memory in self._memory.values() for moment in memory.values() if moment.action == "assert"]
        return sorted(asserted, key=lambda moment: (moment.occurred_at, moment.moment_id))

    async def __aenter__(self) -> Self:
        """Connect and join the group.

        Raises:
            UsageError: no bootstrap was given, or there is no such topic.
            Retriable: no broker answers there.
        """
        if self._bootstrap is None:
            raise UsageError('Moments needs to know where Kafka is; give it, for example Moments("127.0.0.1:9092")')
        self._reader = await ReplayingReader(self._bootstrap, self._topic, self._group).__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Commit the positions of the changes that were dealt with and leave the group."""
        if self._reader is not None:
            await self._reader.__aexit__(kind, error, trace)
            self._reader = None

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Changes as they come, for ever. Asking for the next one says that the ones before were dealt with.

        Raises:
            UsageError: used outside `async with`, or the topic holds something else than moments.
            RecordRejected: a record cannot be decoded, for example because its schema is newer than this package.
        """
        if self._reader is None:
            raise UsageError("Moments is not connected; use `async with Moments(...) as moments`")
        codec = reading_codec()
        async for record, is_new in self._reader:
            for lost in [partition for partition in self._memory if not self._reader.owns(partition)]:
                del self._memory[lost], self._newest[lost]
            if record.value is None:
                continue
            moment = codec.decode_record(record.value)
            if not isinstance(moment, Moment):
                raise UsageError(f"{self._topic} holds {type(moment).__name__} records; name a topic of moments")
            change = self.apply(moment, record.partition)
            if change is not None and is_new:
                yield change

    def _forget_old(self, memory: OrderedDict[str, Moment], partition: int, detected_at: int) -> None:
        newest = self._newest[partition] = max(detected_at, self._newest.get(partition, detected_at))
        while memory:
            oldest = next(iter(memory.values()))
            if oldest.detected_at >= newest - self._retention_ms:
                break
            del memory[oldest.moment_id]


def _change(known: Moment | None, moment: Moment) -> Change | None:
    believed = known if known is not None and known.action == "assert" else None
    if moment.action == "assert":
        if believed is None:
            return Change("asserted", moment, None, moment)
        return None if _content(believed) == _content(moment) else Change("replaced", moment, believed, moment)
    if known is None:
        return Change("retracted", moment, moment, None)
    return Change("retracted", moment, believed, None) if believed else None


def _content(moment: Moment) -> Moment:
    """What is stated, without how it was said."""
    return msgspec.structs.replace(moment, revision=0, detected_at=0, corrects=None)
