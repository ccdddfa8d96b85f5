"""What stewards do: see why two are one (explain.py), try a command on a copy of what it concerns (excerpt.py, effect.py), give it (giving.py),
and hand out to a person what is held about her (holdings.py, access.py).
"""
