"""Customer files (CSV, JSON Lines) -> touchpoints of type `profile`: what a company knows already, as evidence like any other.

In reading order: model.py (a mapping as written), load.py (YAML to mapping, or all faults), source.py (a file's rows), values.py (cells to
values), convert.py (a row to a touchpoint), refused.py (rows that were left out), suggest.py (a first mapping from a file's header).
"""
