"""Rows per partition: store.py (what a stage sees), rows.py (hot rows over a backend), memory.py, rocksdb.py."""
