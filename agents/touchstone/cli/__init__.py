"""The command line: main.py (the group, errors to exit codes), output.py (text or JSON), and one file per command."""
