"""Locked listeners of an embedded Kafka, for trying what a secured one asks of its clients: SASL users, TLS, client certificates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Door = Literal["SASL_PLAINTEXT", "SASL_SSL", "SSL"]

_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_PLAIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@dataclass(frozen=True, kw_only=True)
class Doors:
    """What is opened beside the plain listener, through which the broker talks to itself.

    `users` (name -> password) may come in by PLAIN and both kinds of SCRAM: listener SASL_PLAINTEXT, and SASL_SSL where there is a
    certificate. `certificate` is a PEM file with the broker's key and chain; `clients` one with the authority whose clients are let in:
    with both there is a listener SSL that asks every client for its certificate.
    """

    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificate: Path | None = None
    clients: Path | None = None

    @property
    def names(self) -> tuple[Door, ...]:
        """The listeners there will be; each is named like its security protocol."""
        doors: list[Door] = []
        if self.users:
            doors.append("SASL_PLAINTEXT")
        if self.users and self.certificate:
            doors.append("SASL_SSL")
        if self.certificate and self.clients:
            doors.append("SSL")
        return tuple(doors)

    def properties(self) -> dict[str, str]:
        """What `server.properties` says of them, but for their addresses."""
        settings: dict[str, str] = {}
        if self.certificate:
            settings |= {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(self.certificate)}
        if self.clients:
            settings |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(self.clients)}
            settings["listener.name.ssl.ssl.client.auth"] = "required"
        if self.users:
            settings["sasl.enabled.mechanisms"] = ",".join(("PLAIN", *_SCRAM))
        known = " ".join(f'user_{name}="{password}"' for name, password in self.users.items())
        for door in self.names:
            if door.startswith("SASL"):
                prefix = f"listener.name.{door.lower()}"
                settings[f"{prefix}.plain.sasl.jaas.config"] = f"{_PLAIN_MODULE} {known};"
                settings |= {f"{prefix}.{kind.lower()}.sasl.jaas.config": _SCRAM_MODULE for kind in _SCRAM}
        return settings

    def format_arguments(self) -> list[str]:
        """What formatting the folder has to be told: SCRAM users are part of the cluster's metadata."""
        return [
            word
            for name, password in self.users.items()
            for kind in _SCRAM
            for word in ("--add-scram", f"{kind}=[name={name},password={password}]")
        ]
