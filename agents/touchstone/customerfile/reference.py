"""The reference page and the JSON Schema of a mapping, generated from its model.

`python -m touchstone.customerfile.reference > docs/reference/mapping.md`
`python -m touchstone.customerfile.reference --schema > schemas/mapping.schema.json`
"""

import sys

from touchstone.customerfile.model import WrittenMapping
from touchstone.topology.reference import json_schema, reference

_INTRODUCTION = """\
# mapping.yaml

Every key of the mapping of a customer file, with its meaning and default. [Customer files and data quality](../data-quality.md) shows how one
is used. This page is generated from `customerfile/model.py` by `python -m touchstone.customerfile.reference`; a test fails when it is stale.
The JSON Schema that gives your editor completion and checks lies in `schemas/mapping.schema.json`.

* `touchstone produce customers.csv --suggest-mapping` makes a first one; `--dry-run` tries it and sends nothing.
* A column may stand for what is made of it: `city: Ort` is `city: {column: Ort}`, `email: [mail_1, mail_2]` are two columns of one kind.
* Of JSON Lines, a column is a field of the object; a field of an inner object is named with a dot: `address.city`.
* Unknown keys, columns that the file has not, kinds of identifiers and channels that the topology has not are faults, named with line and column.
"""


def schema() -> str:
    """The JSON Schema of a mapping, as text."""
    return json_schema(WrittenMapping, "Touchstone mapping of a customer file")


def page() -> str:
    """The reference page, as Markdown."""
    return reference(WrittenMapping, _INTRODUCTION)


if __name__ == "__main__":
    sys.stdout.write(schema() if "--schema" in sys.argv else page())
