"""The nouns: identifier.py, touchpoint.py, message.py (what stages say to each other), component.py (rows of state), journey.py, output.py."""
