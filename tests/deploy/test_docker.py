"""The image: linted, built from the lock, nobody's root, no secret inside."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"


def tool(name: str) -> str:
    """A program of our own environment."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{Path(pytest.__file__).parents[4] / 'bin'}")
    assert found is not None, f"{name} belongs to the development dependencies"
    return found


def locked(file: Path) -> dict[str, set[str]]:
    """Requirement -> hashes."""
    packages: dict[str, set[str]] = {}
    for name, hashes in re.findall(r"^([a-z0-9._-]+==\S+)[^\n]*((?:\n    --hash=\S+(?: \\)?)+)", file.read_text(), re.MULTILINE):
        packages[name] = set(re.findall(r"sha256:[0-9a-f]{64}", hashes))
    return packages


def test_the_dockerfile_has_no_fault() -> None:
    """Hadolint, with all its rules."""
    ran = subprocess.run([tool("hadolint"), str(DOCKERFILE)], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (0, "")


def test_the_linter_would_notice() -> None:
    """The harness itself: a floating base is refused."""
    ran = subprocess.run([tool("hadolint"), "-"], input="FROM python\nRUN cd /tmp\n", capture_output=True, text=True, check=False)

    assert ran.returncode != 0


def test_the_image_installs_a_part_of_the_lock_with_the_same_hashes() -> None:
    """What runs in production is what was tested: same versions, same files, nothing that only tests need."""
    image, everything = locked(ROOT / "deploy/docker/requirements.lock"), locked(ROOT / "requirements.lock")

    assert len(image) > 30
    assert {name: hashes for name, hashes in image.items() if everything.get(name) != hashes} == {}
    assert not {name.split("==")[0] for name in image} & {"pytest", "mypy", "hypothesis", "ruff", "grafana-foundation-sdk"}
    assert "--require-hashes" in DOCKERFILE.read_text()


def test_the_image_is_nobodys_root_and_says_how_it_is() -> None:
    """Non-root by number, so that Kubernetes can see it; a health check; the base is an argument."""
    lines = DOCKERFILE.read_text().splitlines()

    assert next(line for line in lines if not line.startswith("#")).startswith("ARG BASE=")
    assert [line for line in lines if line.startswith("FROM")] == ["FROM ${BASE} AS build", "FROM ${BASE}"]
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert any("/health/live" in line for line in lines)


def test_only_what_is_copied_is_sent_to_the_build() -> None:
    """State, keys and environments of this machine are shut out: first everything, then what the Dockerfile names."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source.removeprefix("./")
        for line in DOCKERFILE.read_text().splitlines()
        if line.startswith("COPY") and "--from" not in line
        for source in line.split()[1:-1]
    }

    assert rules[0] == "**"
    assert allowed == copied
    assert all((ROOT / path).exists() for path in copied)


def test_no_secret_is_in_the_image() -> None:
    """Keys come at run time, as a variable or a file."""
    assert not re.search(r"(?i)(HASH_KEY|PASSWORD|SECRET|TOKEN)\s*=", DOCKERFILE.read_text())
