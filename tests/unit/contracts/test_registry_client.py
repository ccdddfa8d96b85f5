"""What is believed of a registry's answers: only its own word that something is not there, and nothing else."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from touchstone.contracts.codec import Codec, bundled_codec
from touchstone.contracts.registered import RegisteredSchemas
from touchstone.contracts.registry import bundled_schemas
from touchstone.contracts.registry_client import RegistryClient
from touchstone.errors import RecordRejected, Retriable, UsageError
from touchstone.model.output import Customer

CANARY = "canary-19ae55"
Answers = dict[str, tuple[int, bytes]]


class Server(ThreadingHTTPServer):
    """A registry of which each answer is written down beforehand: for what a real one rarely says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: Answers = {}
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        """Answer as written down; 500 where nothing is."""
        self.server.asked.append((self.path, self.headers["Authorization"]))
        code, body = self.server.answers.get(self.path, (500, b""))
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """It listens while the test runs."""
    with Server() as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def client_of(server: Server, **environment: str) -> RegistryClient:
    """A client as the environment makes it."""
    found = RegistryClient.from_environment({"TOUCHSTONE_REGISTRY_URL": server.url, **environment})
    assert found is not None
    return found


def test_only_the_registrys_own_word_says_that_an_id_is_unknown(server: Server) -> None:
    """Then, and only then, a record may become a dead letter."""
    server.answers["/schemas/ids/7"] = (404, b'{"error_code": 40403, "message": "Schema not found"}')

    with pytest.raises(RecordRejected, match="found 7") as refused:
        Codec(RegisteredSchemas(client_of(server))).decode(b"\x00\x00\x00\x00\x07x")

    assert refused.value.reason == "unknown_schema"


@pytest.mark.parametrize(
    ("code", "body", "said"),
    [
        (500, b"", "found the answer 500"),
        (503, b'{"error_code": 50301, "message": "starting"}', "found the answer 503 starting"),
        (429, b"", "found the answer 429"),
        (404, b"<html>no such page</html>", "found an answer that no registry gives"),
        (404, b'{"error_code": 404, "message": "HTTP 404 Not Found"}', "does the address end where its API begins"),
        (401, b'{"error_code": 40101}', "look at TOUCHSTONE_REGISTRY_USERNAME"),
        (200, b"<html>please log in</html>", "found JSONDecodeError"),
    ],
    ids=["error", "starting", "busy", "a proxy's page", "another API", "not let in", "a page"],
)
def test_any_other_answer_means_try_again(server: Server, code: int, body: bytes, said: str) -> None:
    """Never a dead letter by a fault on the way."""
    server.answers["/schemas/ids/7"] = (code, body)

    with pytest.raises(Retriable, match="expected to reach a schema registry") as refused:
        Codec(RegisteredSchemas(client_of(server))).decode(b"\x00\x00\x00\x00\x07x")

    assert said in str(refused.value)


def test_nobody_there_means_try_again() -> None:
    """Also that is a fault on the way."""
    client = RegistryClient("http://127.0.0.1:1")

    with pytest.raises(Retriable, match=r"ConnectionRefusedError.* is it running, is the address right"):
        client.schema(7)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ('"string"', "found another type"),
        ('{"type": "record", "name": "shop.Order", "fields": []}', "found a record of another name, Order"),
        ('{"type": "record", "name": "Touchpoint", "fields": [{"name": "x", "type": "nonsense"}]}', "cannot be parsed"),
        ("no json", "cannot be parsed"),
    ],
    ids=["no record", "another record", "wrong", "no schema"],
)
def test_a_schema_that_is_none_of_ours_makes_a_dead_letter_that_says_so(server: Server, schema: str, said: str) -> None:
    """Asked for once; the record is kept with its reason."""
    server.answers["/schemas/ids/7"] = (200, json.dumps({"schema": schema}).encode())
    codec = Codec(RegisteredSchemas(client_of(server)))

    for _ in range(2):
        with pytest.raises(RecordRejected) as refused:
            codec.decode(b"\x00\x00\x00\x00\x07x")
        assert refused.value.reason == "unknown_schema"
        assert said in refused.value.detail

    assert len(server.asked) == 1


def test_a_schema_that_cannot_be_resolved_makes_a_dead_letter(server: Server) -> None:
    """Somebody registered a touchpoint without what ours needs."""
    poor = {"type": "record", "name": "Touchpoint", "fields": [{"name": "event_id", "type": "string"}]}
    server.answers["/schemas/ids/7"] = (200, json.dumps({"schema": json.dumps(poor)}).encode())

    with pytest.raises(RecordRejected, match="a Touchpoint of this version can be read from") as refused:
        Codec(RegisteredSchemas(client_of(server))).decode(b"\x00\x00\x00\x00\x07\x02x")

    assert refused.value.reason == "invalid_avro"


def test_the_schema_of_this_version_under_any_id_is_read_without_resolution(server: Server) -> None:
    """Other words in its docs do not matter to the wire."""
    touchpoint = bundled_schemas().current("Touchpoint")
    reworded = touchpoint.document | {"doc": "In other words."}
    server.answers["/schemas/ids/4711"] = (200, json.dumps({"schema": json.dumps(reworded)}).encode())
    schemas = RegisteredSchemas(client_of(server))

    found = schemas.by_id(4711)

    assert found is not None
    assert (found.id, found.name, found.parsed is touchpoint.parsed) == (4711, "Touchpoint", True)


def test_who_only_reads_cannot_write() -> None:
    """That needs to know the subject."""
    with pytest.raises(Exception, match="made for reading only"):
        Codec(RegisteredSchemas(RegistryClient("http://127.0.0.1:1"))).encode_customer(Customer("c1", 7, "default", "active", None))


def test_a_touchpoint_is_stamped_anew_and_other_bytes_are_left_alone(server: Server) -> None:
    """Where `produce` has judged its lines with the ids of the bundle."""
    schemas = RegisteredSchemas(client_of(server), {"Touchpoint": "web-value"})
    schemas._written["Touchpoint"] = 300
    written = bundled_codec().encode_touchpoint({"event_id": "e", "type": "t", "occurred_at": 0, "identifiers": {"cookie": "c"}})

    stamped = Codec(schemas).restamped(written, bundled_codec())

    assert stamped == b"\x00\x00\x00\x01\x2c" + written[5:]
    assert Codec(schemas).restamped(b"{}", bundled_codec()) == b"{}"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"TOUCHSTONE_REGISTRY_URL": f"http://ada:{CANARY}@host:1"},
            "expected an address without a user, found one in TOUCHSTONE_REGISTRY_URL",
        ),
        ({"TOUCHSTONE_REGISTRY_URL": "host:8081"}, "expected TOUCHSTONE_REGISTRY_URL (or --registry) to be an address such as https://"),
        ({"TOUCHSTONE_REGISTRY_URL": "http://h", "TOUCHSTONE_REGISTRY_USERNAME": "ada"}, "expected the password of ada"),
        ({"TOUCHSTONE_REGISTRY_URL": "http://h", "TOUCHSTONE_REGISTRY_PASSWORD_FILE": "/no/such"}, "to be a file with a password"),
        ({"TOUCHSTONE_REGISTRY_URL": "https://h", "TOUCHSTONE_REGISTRY_CAFILE": os.devnull}, "to hold certificates of authorities in PEM"),
    ],
    ids=["user in the address", "no address", "no password", "no file", "no certificates"],
)
def test_settings_that_cannot_be_are_refused_without_a_secret(environment: dict[str, str], said: str) -> None:
    """With what to do instead."""
    with pytest.raises(UsageError) as refused:
        RegistryClient.from_environment(environment)

    assert said in str(refused.value)
    assert CANARY not in str(refused.value)


def test_a_user_is_named_to_the_registry_and_to_nobody_else(server: Server) -> None:
    """Basic authentication; errors and representations do not show the password."""
    client = client_of(server, TOUCHSTONE_REGISTRY_USERNAME="ada", TOUCHSTONE_REGISTRY_PASSWORD=CANARY)

    with pytest.raises(Retriable) as refused:
        client.schema(7)

    assert server.asked == [("/schemas/ids/7", "Basic YWRhOmNhbmFyeS0xOWFlNTU=")]
    assert CANARY not in f"{refused.value!r} {client!r} {vars(client)}"
