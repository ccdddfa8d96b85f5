"""Stories as tests: given touchpoints, when it is that late, then people, journeys and moments; in every order of arrival.

In reading order: model.py (a story as written), times.py, load.py (YAML -> stories, or all faults with their lines), lines.py (given ->
lines of JSON), moments.py (a moment as one line of text), run.py (one story through the twin), expect.py (what was found against `then`).
"""
