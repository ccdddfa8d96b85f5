"""Stage 1: records of the channel topics -> touchpoints and claims.

In reading order: agent.py (one record from bytes to messages), decode.py (bytes -> what was stated), touchpoint.py (validate and compose),
identifiers.py with normalise.py and blocked.py, event_time.py, messages.py (what identity is told), misspelt.py (how a refusal speaks of an unknown word), recent.py (bounded memory).
lines.py prepares a line of JSON for producing, so that a live run and the offline twin are fed the same bytes.
"""
