"""A worker and every command on a Kafka that lets in only whom it knows: users with passwords, clients with certificates."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kafka.certificates import Authority
from touchstone.devkit.broker import EmbeddedKafka
from touchstone.devkit.doors import Door, Doors
from touchstone.errors import Retriable
from touchstone.runtime.admin import partition_counts

CANARY = "canary-8d41b7"
"""The password of the user and of the locked key: nothing that is ever printed may hold it."""
WITHIN_S = 60


@dataclass(frozen=True)
class Locked:
    """A Kafka with locks, and the files that open them."""

    kafka: EmbeddedKafka
    ca: Path
    other_ca: Path
    certificate: tuple[Path, Path]
    foreign: tuple[Path, Path]
    password: Path

    def user(self, mechanism: str = "SCRAM-SHA-512", door: Door = "SASL_SSL") -> dict[str, str]:
        """The environment of a client with a password."""
        said = {
            "TOUCHSTONE_BOOTSTRAP": self.kafka.address(door),
            "TOUCHSTONE_SECURITY_PROTOCOL": door,
            "TOUCHSTONE_SASL_MECHANISM": mechanism,
            "TOUCHSTONE_SASL_USERNAME": "ada",
            "TOUCHSTONE_SASL_PASSWORD_FILE": str(self.password),
        }
        return said | ({"TOUCHSTONE_SSL_CAFILE": str(self.ca)} if door == "SASL_SSL" else {})

    def client(self) -> dict[str, str]:
        """The environment of a client with a certificate, its key locked."""
        return {
            "TOUCHSTONE_BOOTSTRAP": self.kafka.address("SSL"),
            "TOUCHSTONE_SECURITY_PROTOCOL": "SSL",
            "TOUCHSTONE_SSL_CAFILE": str(self.ca),
            "TOUCHSTONE_SSL_CERTFILE": str(self.certificate[0]),
            "TOUCHSTONE_SSL_KEYFILE": str(self.certificate[1]),
            "TOUCHSTONE_SSL_KEY_PASSWORD_FILE": str(self.password),
        }


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    """A Kafka of this module's own: users by PLAIN and SCRAM, with and without TLS, and clients by certificate."""
    folder = tmp_path_factory.mktemp("locks")
    ours, others = Authority(folder, "ours"), Authority(folder, "others")
    password = folder / "password"
    password.write_text(CANARY + "\n")
    doors = Doors(users={"ada": CANARY}, certificate=ours.issue_in_one_file("127.0.0.1"), clients=ours.file)
    with EmbeddedKafka(doors=doors) as kafka:
        yield Locked(kafka, ours.file, others.file, ours.issue("worker", password=CANARY.encode()), others.issue("stranger"), password)


def start(environment: Mapping[str, str], log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command of the command line; what it says goes to the log."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "touchstone", "--debug", *arguments],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )


def run(environment: Mapping[str, str], log: Path, *arguments: str, code: int = 0) -> str:
    """Run a command to its end, see its exit code, and return what it said."""
    before = log.stat().st_size if log.exists() else 0
    process = start(environment, log, *arguments)
    try:
        ended = process.wait(WITHIN_S)
    finally:
        process.kill()
    said = log.read_bytes()[before:].decode()
    assert ended == code, said
    return said


def touchpoints(file: Path, count: int) -> str:
    """A file with the first touchpoints of one person; each makes a moment."""
    common = {"channel": "web", "identifiers": {"user_id": "ada"}}
    rows = [
        {**common, "event_id": kind, "type": kind, "occurred_at": f"2024-05-01T1{hour}:00:00Z"}
        for hour, kind in enumerate(("search", "cart_add")[:count])
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def arguments_of(process: subprocess.Popen[bytes]) -> str:
    """What everybody on the machine can see of a process."""
    return Path(f"/proc/{process.pid}/cmdline").read_text()


@pytest.mark.parametrize("way", ["user", "client"])
def test_a_worker_and_the_commands_work_with_a_password_or_a_certificate_and_never_show_a_secret(
    locked: Locked, topic_prefix: str, tmp_path: Path, way: str
) -> None:
    """From topics to moments; the worker starts twice and reads its state back from Kafka. Everything that was said is searched."""
    environment = locked.user() if way == "user" else locked.client()
    log = tmp_path / "log"
    names = ["--app", f"{topic_prefix}app", "--topic-prefix", topic_prefix, "--partitions", "2"]
    told = [
        "worker",
        *names,
        "--clock",
        "event",
        "--instance",
        "w1",
        "--data-dir",
        str(tmp_path / "w1"),
        "--no-web",
        "--log-level",
        "debug",
    ]
    tail = ["tail", "moments", "--topic-prefix", topic_prefix, "--from-beginning", "--output", "json", "--limit"]
    run(environment, log, "topics", "apply", *names)

    for number in (1, 2):
        worker = start(environment, log, *told)
        try:
            run(environment, log, "produce", touchpoints(tmp_path / "file.jsonl", number), "--topic-prefix", topic_prefix)
            moments = [json.loads(line) for line in run(environment, log, *tail, str(number)).splitlines() if '"moment_id"' in line]
            arguments = arguments_of(worker)
            worker.terminate()
            assert worker.wait(WITHIN_S) == 0, log.read_text()
        finally:
            worker.kill()
        shutil.rmtree(tmp_path / "w1")

        assert [moment["from_phase"] for moment in moments] == [None, "interest"][:number]
        assert CANARY not in arguments
    assert CANARY not in log.read_text()


def test_a_password_goes_by_every_mechanism_through_both_kinds_of_listener(locked: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    """PLAIN and both kinds of SCRAM, with and without TLS."""
    doors: tuple[Door, ...] = ("SASL_PLAINTEXT", "SASL_SSL")
    for door in doors:
        for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
            for name, value in locked.user(mechanism, door).items():
                monkeypatch.setenv(name, value)

            assert asyncio.run(partition_counts(locked.kafka.address(door), ["no-such-topic"])) == {}
        monkeypatch.undo()


def environments(locked: Locked, way: str) -> tuple[dict[str, str], str]:
    """What somebody has set wrongly, and what they are to be told."""
    user, client = locked.user(), locked.client()
    (locked.ca.parent / "wrong").write_text(f"{CANARY}x")
    without_certificate = {name: value for name, value in client.items() if "CERT" not in name and "KEY" not in name}
    foreign = {"TOUCHSTONE_SSL_CERTFILE": str(locked.foreign[0]), "TOUCHSTONE_SSL_KEYFILE": str(locked.foreign[1])}
    return {
        "wrong password": (
            {**user, "TOUCHSTONE_SASL_PASSWORD_FILE": str(locked.ca.parent / "wrong")},
            "found that the broker does not let the user ada in by SCRAM-SHA-512; look at TOUCHSTONE_SASL_USERNAME and TOUCHSTONE_SASL_PASSWORD",
        ),
        "unknown user": ({**user, "TOUCHSTONE_SASL_USERNAME": "eve"}, "does not let the user eve in"),
        "wrong authority": (
            {**user, "TOUCHSTONE_SSL_CAFILE": str(locked.other_ca)},
            f"found a certificate that TOUCHSTONE_SSL_CAFILE={locked.other_ca} does not vouch for",
        ),
        "missing certificate": (
            without_certificate,
            "found that the broker wants a client certificate and got none; name yours in TOUCHSTONE_SSL_CERTFILE",
        ),
        "certificate of a stranger": (without_certificate | foreign, "found that the broker does not accept the certificate"),
        "another name": (
            {**user, "TOUCHSTONE_BOOTSTRAP": user["TOUCHSTONE_BOOTSTRAP"].replace("127.0.0.1", "localhost")},
            "found a certificate for another name",
        ),
        "no security at all": (
            {"TOUCHSTONE_BOOTSTRAP": locked.kafka.address("SSL")},
            "expects another TOUCHSTONE_SECURITY_PROTOCOL than PLAINTEXT",
        ),
        "a user where there are none": (
            locked.user(door="SASL_PLAINTEXT") | {"TOUCHSTONE_BOOTSTRAP": locked.kafka.bootstrap},
            "found a listener without users; set TOUCHSTONE_SECURITY_PROTOCOL to PLAINTEXT",
        ),
        "nobody there": ({**user, "TOUCHSTONE_BOOTSTRAP": "127.0.0.1:1"}, "is it running, is the address right?"),
    }[way]


@pytest.mark.parametrize(
    "way",
    [
        "wrong password",
        "unknown user",
        "wrong authority",
        "missing certificate",
        "certificate of a stranger",
        "another name",
        "no security at all",
        "a user where there are none",
        "nobody there",
    ],
)
def test_who_is_not_let_in_learns_what_was_expected_and_what_to_do(locked: Locked, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """The broker's answer in words, soon."""
    environment, said = environments(locked, way)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    began = time.monotonic()

    with pytest.raises(Retriable) as refused:
        asyncio.run(partition_counts(environment["TOUCHSTONE_BOOTSTRAP"], ["topic"]))

    assert said in str(refused.value)
    assert str(refused.value).startswith(f"expected to reach Kafka at {environment['TOUCHSTONE_BOOTSTRAP']}")
    assert CANARY not in str(refused.value)
    assert time.monotonic() - began < WITHIN_S


@pytest.mark.parametrize("way", ["wrong password", "wrong authority", "missing certificate"])
def test_a_worker_that_is_not_let_in_ends_with_1_and_says_why(locked: Locked, tmp_path: Path, way: str) -> None:
    """It neither hangs nor shows a traceback, and its log holds no secret."""
    environment, said = environments(locked, way)

    output = run(environment, tmp_path / "log", "worker", "--data-dir", str(tmp_path / "w1"), "--no-web", "--log-level", "debug", code=1)

    assert said in " ".join(output.split())
    assert "Traceback" not in output
    assert CANARY not in output


def test_options_of_the_command_line_take_the_place_of_the_environment(locked: Locked, tmp_path: Path) -> None:
    """All but the secrets themselves, which are named by their files."""
    user = locked.user()
    options = [f"--{name.removeprefix('TOUCHSTONE_').lower().replace('_', '-')}={value}" for name, value in user.items()]

    said = run({}, tmp_path / "log", "topics", "plan", *options, code=1)

    assert "moments.v1: missing, to be created" in said


def test_locks_without_a_kafka_to_use_them_on_are_a_mistake(locked: Locked, tmp_path: Path) -> None:
    """The embedded Kafka is open; to talk to it without a word would be to talk to the wrong one."""
    environment = {**locked.user(), "TOUCHSTONE_BOOTSTRAP": ""}

    said = run(environment, tmp_path / "log", "topics", "plan", code=2)

    assert "expected the address of a Kafka that speaks SASL_SSL in --bootstrap or TOUCHSTONE_BOOTSTRAP, found none" in " ".join(
        said.split()
    )
