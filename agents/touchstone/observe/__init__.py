"""What an operator sees: metrics.py (every name, declared once), logs.py, health.py."""
