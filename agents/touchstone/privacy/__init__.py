"""What a person may ask for: to see what is held about her (held.py, export.py, page.py)."""
