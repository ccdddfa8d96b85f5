"""What an operator sees: metrics.py (every name, declared once), registry.py, reference.py, logs.py, health.py."""
