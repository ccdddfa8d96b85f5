"""Public helpers for tests: generator.py (touchpoints whose truth is known), population.py (its people), strategies.py (hypothesis)."""
