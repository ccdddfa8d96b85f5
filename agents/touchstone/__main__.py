"""`python -m touchstone` is the command `touchstone`."""

from touchstone.cli.start import main

if __name__ == "__main__":
    main()
