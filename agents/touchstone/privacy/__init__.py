"""What a person may ask for: to see what is held about her (held.py, veil.py, export.py, document.py, page.py), and to be forgotten (erase.py,
receipt.py, pseudonym.py).
"""
