"""What ships beside the code: the Avro schemas and the reference topology.

`schemas` and `topology.yaml` in this folder are links to the repository's own, so that there is one source; a built wheel holds the files
themselves. Either way the two paths below are right, whether touchstone runs from a clone, an editable install or a wheel.
"""

from pathlib import Path

SCHEMAS = Path(__file__).parent / "schemas"
"""The folder of the `.avsc` files."""

TOPOLOGY = Path(__file__).parent / "topology.yaml"
"""The reference topology, used where none is given."""
