"""Takes away what a trial has left on a Kafka that others use too. Nothing that runs in earnest calls this."""

from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from touchstone.errors import Retriable
from touchstone.runtime.reach import reaching
from touchstone.runtime.security import connection


async def remove(bootstrap: str, topics: Sequence[str]) -> None:
    """Delete these topics with everything in them; what is not there is passed over. A group goes by itself once its topics have gone.

    Raises:
        Retriable: the brokers cannot be reached, or refuse.
    """
    admin = AIOKafkaAdminClient(**connection(bootstrap), client_id="touchstone-scratch")
    async with reaching(bootstrap):
        try:
            await admin.start()
            response = await admin.delete_topics(list(topics))
        finally:
            await admin.close()
    refused = {topic: for_code(code) for topic, code in response.topic_error_codes}
    wrong = [f"{topic}: {error.__name__}" for topic, error in refused.items() if error.errno and error is not UnknownTopicOrPartitionError]
    if wrong:
        raise Retriable(f"expected to delete the topics of a trial at {bootstrap}, the broker answered {', '.join(wrong)}")
