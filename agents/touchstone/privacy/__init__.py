"""What people may ask for: erase.py (what an erasure forgets, and where its bytes lie), receipt.py (the signed word for it), pseudonym.py (names for logs)."""
