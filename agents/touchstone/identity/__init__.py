"""Stage 2, who is who: agent.py, union.py, sharing.py (keyed by identifier); ordering.py, resolve.py (pure, used by journey)."""
