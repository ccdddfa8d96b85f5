"""Law of matching in the stream: whatever the order of arrival, the people are those that the same records give as a file."""

from random import Random

import msgspec
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bench.matching.errors import MANY
from bench.matching.invented import Invention
from touchstone.matching.alike import Alike
from touchstone.matching.blocking import STREAM_BLOCKS, candidates
from touchstone.matching.cluster import Edge, cluster
from touchstone.matching.records import make_record
from touchstone.model.output import Customer
from touchstone.simulate import Twin
from touchstone.topology.load import load_text

LIMIT = 8
TOPOLOGY = load_text(
    f"""
version: 1
name: people
channels: {{crm: {{topic: crm}}}}
identifiers: {{record: {{}}}}
limits: {{merges_per_person: 1000}}
journeys: {{known: {{phases: [met], rules: [{{name: met, when: {{type: profile}}, to: met}}]}}}}
matching:
  attributes:
    {{given_name: given_name, family_name: family_name, birth_date: birth_date, street: street, house_number: house_number, postcode: postcode,
      city: city, phone: phone, email: email}}
  block_limit: {LIMIT}
""",
    "topology",
)
Row = dict[str, str]


def _rows(number: int, countries: tuple[str, ...]) -> list[Row]:
    """Invented records of a few families, with many errors, that meet in all kinds of blocks."""
    made = Invention("few", "", 60, countries, MANY, seed=number)
    return [{name: value for name, value in row.items() if value} | {"record_id": f"r{n}"} for n, (_, row) in enumerate(made.rows())]


def _in_batch(rows: list[Row]) -> set[frozenset[str]]:
    assert TOPOLOGY.matching is not None
    judge = Alike(TOPOLOGY.matching)
    records = [make_record(row["record_id"], row, TOPOLOGY.matching.roles) for row in rows]
    by_id = {record.id: record for record in records}
    found = candidates(records, STREAM_BLOCKS, LIMIT)
    pairs = list(zip(found.left.tolist(), found.right.tolist(), strict=True))
    edges = [Edge(judge.score_pair(records[one], records[other]), *sorted((records[one].id, records[other].id))) for one, other in pairs]
    people, _ = cluster(records, edges, judge.accept, between=lambda one, other: judge.score_pair(by_id[one], by_id[other]))
    return set(people)


def _in_stream(rows: list[Row], partitions: int, at_once: int) -> set[frozenset[str]]:
    last: dict[str, Customer] = {}
    twin = Twin(TOPOLOGY, lambda said: last.update({said.customer_id: said}) if isinstance(said, Customer) else None, partitions=partitions)
    for begin in range(0, len(rows), at_once):
        twin.feed(_line(row) for row in rows[begin : begin + at_once])
    return {frozenset(x["value"] for x in customer.identifiers) for customer in last.values() if customer.status == "active"}


def _line(row: Row) -> bytes:
    return msgspec.json.encode(
        {
            "event_id": row["record_id"],
            "channel": "crm",
            "type": "profile",
            "occurred_at": "2026-03-02T12:00:00Z",
            "identifiers": {"record": row["record_id"]},
            "profile": row,
        }
    )


@settings(max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # a smaller one says no more, and takes minutes
@given(number=st.integers(0, 10_000), countries=st.sampled_from([("us",), ("de",), ("us", "de", "br")]), shuffle=st.integers(0, 10_000))
def test_the_stream_finds_the_people_of_the_file(number: int, countries: tuple[str, ...], shuffle: int) -> None:
    """In any order, on any number of partitions, a few touchpoints or many in a transaction, and with some that come twice."""
    random = Random(shuffle)
    rows = _rows(number, countries)
    arriving = rows + random.choices(rows, k=10)
    random.shuffle(arriving)

    assert _in_stream(arriving, random.choice([1, 3, 12]), random.choice([1, 7, 100])) == _in_batch(rows)
