"""Who is who, measured: `python -m bench.matching`, with Splink and dedupe on the same records.

Read sheet.py (a set of records), published.py and invented.py (which there are; people.py, places.py and errors.py invent some), measure.py
(how good), then tool.py with run_touchstone.py, run_splink.py and run_dedupe.py (who takes part), and __main__.py.
"""
