"""Touchstone: touchpoints in, moments of truth out; and back again when the truth changes.

The way of one event, stage by stage: `intake` -> `identity` -> `journey`. Each stage's `agent.py` reads like a table of contents.
The layers below them: `topology` (what the owner wrote), `contracts` (what is on the wire), `state` (rows per partition), `runtime`
(batches, transactions, restores; it knows no customer). `pipeline.py` joins the stages; `app.py` runs them on Kafka, `simulate.py` over a file.
Start reading at `pipeline.py`, then `journey/fold.py` and `identity/resolve.py`.
"""

__version__ = "0.1.0"
