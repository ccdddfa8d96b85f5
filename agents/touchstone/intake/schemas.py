"""Schemas are fetched before the records that name them are taken: nothing may wait for a registry in the middle of a batch."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from touchstone.contracts.codec import ids_in
from touchstone.contracts.registered import RegisteredSchemas


class Prefetch:
    """Asks the registry for what a batch needs and nothing is known of yet; afterwards every record is read without asking."""

    def __init__(self, schemas: RegisteredSchemas, topics: Collection[str]) -> None:
        """`topics`: those whose records are Avro."""
        self._schemas = schemas
        self._topics = frozenset(topics)

    async def __call__(self, records: Mapping[Any, Sequence[Any]]) -> None:
        """Fetch for the records of these partitions.

        Raises:
            Retriable: the registry cannot be asked; to be called again with the same records.
        """
        values = (record.value for tp, batch in records.items() if tp.topic in self._topics for record in batch)
        for schema_id in self._schemas.unfetched(ids_in(values)):
            await asyncio.to_thread(self._schemas.fetch, schema_id)
