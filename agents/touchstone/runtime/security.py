"""How connections to Kafka are secured: TLS, client certificates, SASL users; told by the environment, the same for all of a process.

Secrets come from the environment or from files, never from the command line, which every user of the machine can read.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from touchstone.errors import UsageError
from touchstone.runtime.header_names import read_any_name
from touchstone.secret import Secret

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

PROTOCOL = "TOUCHSTONE_SECURITY_PROTOCOL"
MECHANISM = "TOUCHSTONE_SASL_MECHANISM"
USERNAME = "TOUCHSTONE_SASL_USERNAME"
PASSWORD = "TOUCHSTONE_SASL_PASSWORD"  # noqa: S105  # a name, no secret
PASSWORD_FILE = PASSWORD + "_FILE"
CAFILE = "TOUCHSTONE_SSL_CAFILE"
CERTFILE = "TOUCHSTONE_SSL_CERTFILE"
KEYFILE = "TOUCHSTONE_SSL_KEYFILE"
KEY_PASSWORD = "TOUCHSTONE_SSL_KEY_PASSWORD"  # noqa: S105  # a name, no secret
KEY_PASSWORD_FILE = KEY_PASSWORD + "_FILE"

_SASL = (MECHANISM, USERNAME, PASSWORD, PASSWORD_FILE)
_TLS = (CAFILE, CERTFILE, KEYFILE, KEY_PASSWORD, KEY_PASSWORD_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """Protocol, user and certificates. Files are PEM; without `cafile` the machine's own authorities are trusted."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism | None = None
    username: str | None = None
    password: Secret | None = None
    cafile: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    key_password: Secret | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Security":
        """What the `TOUCHSTONE_…` variables say; PLAINTEXT where they say nothing.

        Raises:
            UsageError: they contradict each other, leave something out, or name a file that cannot be read.
        """
        given = {name: environment[name] for name in (PROTOCOL, *_SASL, *_TLS) if environment.get(name)}
        protocol = given.get(PROTOCOL, "PLAINTEXT").upper()
        if protocol not in get_args(Protocol):
            raise UsageError(f"expected {PROTOCOL} to be one of {', '.join(get_args(Protocol))}, found {protocol}")
        for names, applies, remedy in (
            (_SASL, protocol.startswith("SASL"), "SASL_SSL, or SASL_PLAINTEXT inside a network that you trust"),
            (_TLS, protocol.endswith("SSL"), "SSL, or SASL_SSL where the brokers know users"),
        ):
            idle = [name for name in names if name in given and not applies]
            if idle:
                found = protocol if PROTOCOL in given else f"no {PROTOCOL}, which means PLAINTEXT"
                raise UsageError(f"{', '.join(idle)} would have no effect: found {found}. Set {PROTOCOL} to {remedy}, or unset the others")
        return cls(
            protocol=cast("Protocol", protocol),
            **(_user(given) if protocol.startswith("SASL") else {}),
            **(_certificates(given) if protocol.endswith("SSL") else {}),
        )

    def describe(self) -> str:
        """For messages: the protocol, who we say we are, whom we trust; no secrets."""
        words: list[str] = [self.protocol]
        if self.mechanism:
            words.append(f"user {self.username} by {self.mechanism}")
        if self.certfile:
            words.append(f"certificate {self.certfile}")
        if self.cafile:
            words.append(f"trusting {self.cafile}")
        return ", ".join(words)

    def context(self) -> ssl.SSLContext | None:
        """What TLS connections are made with: the broker's certificate and name are always checked. None without TLS.

        Raises:
            UsageError: a file does not hold what it should.
        """
        if not self.protocol.endswith("SSL"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.cafile)
        except (ssl.SSLError, OSError) as error:
            raise UsageError(f"expected {CAFILE}={self.cafile} to hold certificates of authorities in PEM, found: {_why(error)}") from None
        if self.certfile is not None:
            secret = self.key_password.reveal() if self.key_password else ""
            try:
                # Always a password, if an empty one: OpenSSL would ask for it at the terminal, and a worker would hang.
                context.load_cert_chain(self.certfile, self.keyfile, password=lambda: secret)
            except (ssl.SSLError, OSError) as error:
                raise UsageError(
                    f"expected {CERTFILE}={self.certfile} to hold a certificate and {KEYFILE}={self.keyfile or self.certfile} its key, in PEM, "
                    f"found: {_why(error)}; where the key is locked, {KEY_PASSWORD_FILE} names the file with its password"
                ) from None
        return context

    def client_arguments(self) -> dict[str, Any]:
        """What every client of aiokafka is told."""
        arguments: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.context()}
        if self.mechanism is not None:
            arguments |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.username, "sasl_plain_password": self.revealed()}
        return arguments

    def revealed(self) -> str | None:
        """The user's password in the clear: for the client library and nobody else."""
        return None if self.password is None else self.password.reveal()


def process_security() -> Security:
    """What the environment of this process says; read anew, so that a file with a changed password counts for new connections.

    Raises:
        UsageError: as for `Security.from_environment`.
    """
    return Security.from_environment(os.environ)


def connection(bootstrap: str, security: Security | None = None) -> dict[str, Any]:
    """Where to connect and how, for any client of aiokafka; secured as the process is unless told otherwise.

    Raises:
        UsageError: as for `Security.from_environment` and `context`.
    """
    read_any_name()  # here, because whoever reads anything from Kafka comes by
    return {"bootstrap_servers": bootstrap, **(security or process_security()).client_arguments()}


def _user(given: Mapping[str, str]) -> dict[str, Any]:
    mechanism = given.get(MECHANISM, "").upper()
    if mechanism not in get_args(Mechanism):
        raise UsageError(f"expected {MECHANISM} to be one of {', '.join(get_args(Mechanism))}, found {mechanism or 'nothing'}")
    if USERNAME not in given:
        raise UsageError(f"expected a user in {USERNAME}, found nothing")
    password = _secret(given, PASSWORD, PASSWORD_FILE)
    if password is None:
        raise UsageError(
            f"expected the password of {given[USERNAME]} in {PASSWORD}, or better in a file that {PASSWORD_FILE} names, found neither"
        )
    return {"mechanism": mechanism, "username": given[USERNAME], "password": password}


def _certificates(given: Mapping[str, str]) -> dict[str, Any]:
    if KEYFILE in given and CERTFILE not in given:
        raise UsageError(f"expected the certificate of the key {KEYFILE} in {CERTFILE}, found nothing")
    files = {name: Path(given[name]) if name in given else None for name in (CAFILE, CERTFILE, KEYFILE)}
    for name, path in files.items():
        if path is not None:
            _read(name, path)
    return {
        "cafile": files[CAFILE],
        "certfile": files[CERTFILE],
        "keyfile": files[KEYFILE],
        "key_password": _secret(given, KEY_PASSWORD, KEY_PASSWORD_FILE),
    }


def _secret(given: Mapping[str, str], name: str, file_name: str) -> Secret | None:
    if name in given and file_name in given:
        raise UsageError(f"expected one of {name} and {file_name}, found both; keep the file")
    if file_name in given:
        try:
            return Secret(_read(file_name, Path(given[file_name])).decode().rstrip("\r\n"))
        except UnicodeDecodeError:
            raise UsageError(f"expected {file_name}={given[file_name]} to hold a password as UTF-8 text, found other bytes") from None
    return Secret(given[name]) if name in given else None


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"expected {name}={path} to be a file that can be read, found: {_why(error)}") from None


def _why(error: OSError) -> str:
    """OpenSSL's reason without its place in the source, or the system's."""
    return str(getattr(error, "reason", None) or error.strerror or type(error).__name__)
