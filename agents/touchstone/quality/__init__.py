"""How good the data about customers are, per attribute and source: completeness, validity, agreement, age. Pure.

In reading order: said.py (what each source said of which customer), validity.py (whether a value can be right), figures.py (the figures).
"""
