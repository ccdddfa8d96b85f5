"""Rows per partition: store.py (what a stage sees), rows.py (hot rows over a backend), timers.py, keys.py, backend.py, memory.py, rocksdb.py."""
