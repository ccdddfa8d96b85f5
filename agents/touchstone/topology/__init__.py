"""What the owner wrote: model.py (as written), load.py (YAML and positions), check.py (faults across keys), compile.py (as run)."""
