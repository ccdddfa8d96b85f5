"""Rows per partition: store.py (what a stage sees), rows.py over hot.py and rowcodec.py, timers.py, keys.py; backend.py, memory.py, rocksdb.py."""
