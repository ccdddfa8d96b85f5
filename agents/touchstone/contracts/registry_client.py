"""The few calls that we need of a schema registry with Confluent's API (also Apicurio, Redpanda, Karapace).

Over the standard library: eight calls do not need a client library, and none that exists does without a C library or another HTTP stack.
Answers are judged narrowly: only a registry's own code says that something is not there. A proxy's 404 or an error page is a registry that
cannot be reached, because a record must never become a dead letter by a fault of the network.
"""

import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple

from touchstone.errors import Retriable, UsageError
from touchstone.secret import Secret

URL = "TOUCHSTONE_REGISTRY_URL"
USERNAME = "TOUCHSTONE_REGISTRY_USERNAME"
PASSWORD = "TOUCHSTONE_REGISTRY_PASSWORD"  # noqa: S105  # a name, no secret
PASSWORD_FILE = PASSWORD + "_FILE"
CAFILE = "TOUCHSTONE_REGISTRY_CAFILE"

_TIMEOUT_S = 5.0
_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_NOT_THERE = range(40400, 40500)


class Registered(NamedTuple):
    """One version of a subject: its number there, its id everywhere, and the schema as text."""

    version: int
    id: int
    schema: str


class Refused(UsageError):
    """The registry does not take the schema: it breaks the subject's compatibility level, or is not valid."""


class RegistryClient:
    """Talks to one registry; every call may block for some seconds."""

    def __init__(self, url: str, username: str | None = None, password: Secret | None = None, cafile: Path | None = None) -> None:
        """Raises: UsageError: this is no address of a registry, or the authorities cannot be read."""
        parts = urllib.parse.urlsplit(url)
        if parts.username or parts.password:
            raise UsageError(
                f"expected an address without a user, found one in {URL}; name the user in {USERNAME} and the password in {PASSWORD_FILE}"
            )
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UsageError(f"expected {URL} (or --registry) to be an address such as https://registry.example:8081, found {url!r}")
        self.url = url.rstrip("/")
        self._username, self._password = username, password
        self._context = None
        if parts.scheme == "https":
            try:
                self._context = ssl.create_default_context(cafile=cafile)
            except (OSError, ssl.SSLError) as error:
                raise UsageError(f"expected {CAFILE}={cafile} to hold certificates of authorities in PEM, found: {error}") from None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], url: str | None = None) -> "RegistryClient | None":
        """The registry that the environment names, or `url` with the environment's user; None where there is none.

        Raises:
            UsageError: as for the constructor; or a user without a password.
        """
        url = url or environment.get(URL)
        if not url:
            return None
        username, password = environment.get(USERNAME), environment.get(PASSWORD)
        if file := environment.get(PASSWORD_FILE):
            try:
                password = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"expected {PASSWORD_FILE}={file} to be a file with a password, found: {type(error).__name__}") from None
        if username and not password:
            raise UsageError(f"expected the password of {username} in {PASSWORD_FILE} or {PASSWORD}, found neither")
        cafile = environment.get(CAFILE)
        return cls(url, username or None, Secret(password) if password else None, Path(cafile) if cafile else None)

    def schema(self, schema_id: int) -> str | None:
        """The schema of that id as text, or None where the registry says that it has none. Not an Avro schema: also its text.

        Raises:
            Retriable: no sound answer could be had.
        """
        found = self._call("GET", f"/schemas/ids/{schema_id}")
        return None if found is None else self._text(found)

    def versions(self, subject: str) -> list[Registered]:
        """All versions of a subject, the oldest first; none where there is no such subject.

        Raises:
            Retriable: no sound answer could be had.
        """
        path = f"/subjects/{_quoted(subject)}/versions"
        found = [self._call("GET", f"{path}/{number}") for number in self._call("GET", path) or ()]
        return [Registered(each["version"], each["id"], self._text(each)) for each in found if each is not None]

    def id_of(self, subject: str, schema: str) -> int | None:
        """The id of a schema that is registered under that subject, or None.

        Raises:
            Retriable: no sound answer could be had.
        """
        found = self._call("POST", f"/subjects/{_quoted(subject)}", {"schema": schema})
        return None if found is None else int(found["id"])

    def register(self, subject: str, schema: str) -> int:
        """Register a schema; returns its id. The same one again changes nothing.

        Raises:
            Refused: it breaks the compatibility level of the subject.
            Retriable: no sound answer could be had.
        """
        return int(self._call("POST", f"/subjects/{_quoted(subject)}/versions", {"schema": schema})["id"])

    def level(self, subject: str) -> str | None:
        """The compatibility level that was set for this subject, or None.

        Raises:
            Retriable: no sound answer could be had.
        """
        found = self._call("GET", f"/config/{_quoted(subject)}")
        return None if found is None else str(found["compatibilityLevel"])

    def set_level(self, subject: str, level: str) -> None:
        """Set the compatibility level of a subject.

        Raises:
            Retriable: no sound answer could be had.
        """
        self._call("PUT", f"/config/{_quoted(subject)}", {"compatibility": level})

    def objection(self, subject: str, schema: str) -> str | None:
        """What the registry has against a schema as the next version, in its words; None where nothing, or where the subject is new.

        Raises:
            Retriable: no sound answer could be had.
        """
        found = self._call("POST", f"/compatibility/subjects/{_quoted(subject)}/versions?verbose=true", {"schema": schema})
        if found is None or found["is_compatible"]:
            return None
        return str(found.get("reason") or " ".join(found.get("messages") or ()) or "no reason given")

    def _text(self, found: Mapping[str, Any]) -> str:
        """A schema that refers to others, or is not Avro, is handed on as what it is: nothing that reads as a record of ours."""
        if found.get("schemaType", "AVRO") != "AVRO" or found.get("references"):
            return json.dumps({"type": found.get("schemaType", "AVRO"), "references": len(found.get("references") or ())})
        return str(found["schema"])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer; None where the registry itself says that there is no such thing."""
        headers = {"Accept": f"{_MEDIA_TYPE}, application/json", "Content-Type": _MEDIA_TYPE}
        if self._username and self._password is not None:
            user = f"{self._username}:{self._password.reveal()}".encode()
            headers["Authorization"] = f"Basic {b64encode(user).decode()}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310  # http or https, checked above
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=self._context) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return self._judge(error)
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise self._unreachable(f"{type(reason).__name__} ({reason}); is it running, is the address right?") from None

    def _judge(self, error: urllib.error.HTTPError) -> None:
        with error:
            try:
                told = json.loads(error.read())
                code, message = int(told["error_code"]), str(told.get("message", ""))
            except (OSError, HTTPException, ValueError, KeyError, TypeError):
                code, message = 0, ""
        if error.code == 404 and code in _NOT_THERE:
            return
        if error.code in {409, 422} and code:
            raise Refused(f"the registry does not take the schema: {message}")
        if error.code in {401, 403}:
            raise self._unreachable(f"that it does not let us in ({error.code}); look at {USERNAME} and {PASSWORD_FILE}")
        if error.code == 404:
            raise self._unreachable(
                "an answer that no registry gives (404); does the address end where its API begins, such as /apis/ccompat/v7?"
            )
        raise self._unreachable(f"the answer {error.code} {message}")

    def _unreachable(self, found: str) -> Retriable:
        return Retriable(f"expected to reach a schema registry at {self.url}, found {found}")


def configured_client() -> RegistryClient | None:
    """The registry that the environment of this process names, if any.

    Raises:
        UsageError: it names one wrongly.
    """
    return RegistryClient.from_environment(os.environ)


def _quoted(subject: str) -> str:
    return urllib.parse.quote(subject, safe="")
