"""What Touchstone costs, measured: `python -m bench`. Read load.py, live.py (with watch.py, pace.py), latency.py, way.py, stages.py, then report.py and __main__.py.

`bench_intake.py` and `bench_store.py` look closer at one part each and run on their own; `matching/` measures who is who.
"""
