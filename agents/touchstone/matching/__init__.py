"""Stage 2b, the same person in other words: roles.py, records.py, blocking.py, compare.py, model.py, score.py, cluster.py; training.py."""
