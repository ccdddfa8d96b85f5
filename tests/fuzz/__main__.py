"""`python -m tests.fuzz MINUTES SEED`: bytes grown from the corpus, guided by what code they reach where atheris is installed.

Exits with 0 when all was read or refused. What breaks a promise is printed as hexadecimal; make an example of tests/fuzz/corpus.py of it.
Without atheris (`make fuzzer`; CPython on Linux) the bytes are changed blindly.
"""
# ruff: noqa: T201 - it prints what it finds

import importlib
import importlib.util
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.fuzz.corpus import corpus

LARGEST = 65_537
"""One byte above what is read."""


def main(arguments: list[str]) -> int:
    """The command line."""
    minutes, seed = float(arguments[0]), int(arguments[1])
    if importlib.util.find_spec("atheris") is not None and "--blind" not in arguments:
        return _guided(minutes, seed)
    return _blind(minutes, seed)


def _blind(minutes: float, seed: int) -> int:
    from tests.fuzz.target import judge

    random, known = Random(seed), corpus()
    until, count = time.monotonic() + 60 * minutes, 0
    while count < len(known) or time.monotonic() < until:
        data = known[count] if count < len(known) else changed(random, known)
        count += 1
        try:
            judge(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            print(f"seed {seed}, number {count}: {type(error).__name__}: {error}\n{data.hex()}")
            return 1
    print(f"fuzz: {count} inputs, changed blindly from {len(known)}, seed {seed}: all read or refused")
    return 0


def changed(random: Random, known: list[bytes]) -> bytes:
    """One of the known with some bytes replaced, cut out, repeated, or taken from another."""
    data = bytearray(random.choice(known))
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        at, length = random.randrange(len(data) + 1), random.choice((0, 1, 1, 2, 8, 64))
        other = random.choice(known)
        begin = random.randrange(len(other) + 1)
        piece = random.choice(
            (
                random.randbytes(length),
                other[begin : begin + length],
                bytes(data[at : at + length]) * random.choice((1, 2, 300)),
                b"\xff" * length,
            )
        )
        data[at : at + random.choice((0, length))] = piece
    return bytes(data[:LARGEST])


def _guided(minutes: float, seed: int) -> int:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["touchstone", "tests.fuzz.target"]):
        target = importlib.import_module("tests.fuzz.target")
    folder = Path(tempfile.mkdtemp(prefix="touchstone-fuzz-"))
    for number, data in enumerate(corpus()):
        (folder / f"{number:04}").write_bytes(data)
    options = [
        f"-max_total_time={max(1, round(60 * minutes))}",
        f"-seed={seed or 1}",  # 0 would be another one every time
        f"-max_len={LARGEST}",
        "-timeout=30",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/found-", str(folder)], target.judge)
    atheris.Fuzz()  # ends the process: 0, or 77 with what was found
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
