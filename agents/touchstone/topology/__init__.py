"""What the owner wrote, in the order of its way.

document.py (YAML with places), model.py (every key; quantity.py, pattern.py), explain.py (errors in the author's words), check.py and
check_journey.py (faults across keys; findings.py), compile.py (as run; fingerprint.py). load.py does it all; reference.py describes it.
"""
