"""A text that must not be seen."""

from typing import NoReturn


class Secret:
    """Shows itself to nobody who does not ask for it by name: no repr, log or traceback holds it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the library that needs it and nobody else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")
