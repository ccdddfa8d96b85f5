"""Hostile bytes against everything that reads what others wrote. `python -m tests.fuzz MINUTES SEED`."""
