"""Stage 3, where everyone stands: agent.py, component.py, settle.py; pure: rules.py, fold.py, golden.py, publish.py, retention.py."""
