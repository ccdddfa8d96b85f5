"""What the environment may say about security, and that no secret comes out again."""

import ast
import logging
import pickle
import ssl
import traceback
from pathlib import Path
from typing import Any

import pytest

import touchstone
from tests.kafka.certificates import Authority
from touchstone.errors import UsageError
from touchstone.runtime.assembly import faust_app
from touchstone.runtime.security import Security, connection
from touchstone.runtime.settings import WorkerSettings
from touchstone.secret import Secret

CANARY = "canary-5f2c9e"
USER = {
    "TOUCHSTONE_SECURITY_PROTOCOL": "SASL_SSL",
    "TOUCHSTONE_SASL_MECHANISM": "SCRAM-SHA-512",
    "TOUCHSTONE_SASL_USERNAME": "ada",
    "TOUCHSTONE_SASL_PASSWORD": CANARY,
}


def test_without_a_word_nothing_is_secured() -> None:
    """As Kafka itself does it."""
    security = Security.from_environment({"TOUCHSTONE_SECURITY_PROTOCOL": "", "HOME": "/"})

    assert (security, security.context()) == (Security(), None)
    assert connection("k:1", security) == {"bootstrap_servers": "k:1", "security_protocol": "PLAINTEXT", "ssl_context": None}


def test_a_user_becomes_what_the_clients_are_told() -> None:
    """With the machine's own authorities, and the host's name checked."""
    arguments = connection("k:1", Security.from_environment(USER))

    context = arguments.pop("ssl_context")
    assert arguments == {
        "bootstrap_servers": "k:1",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ada",
        "sasl_plain_password": CANARY,
    }
    assert (context.check_hostname, context.verify_mode, context.minimum_version) == (True, ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2)


def test_a_password_comes_from_a_file_without_its_last_newline(tmp_path: Path) -> None:
    """As every editor and `kubectl create secret` leave it; spaces belong to it."""
    (tmp_path / "password").write_bytes(b" s\xc3\xa9cret \n")

    security = Security.from_environment(
        {**USER, "TOUCHSTONE_SASL_PASSWORD": "", "TOUCHSTONE_SASL_PASSWORD_FILE": str(tmp_path / "password")}
    )

    assert security.revealed() == " sécret "


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"TOUCHSTONE_SECURITY_PROTOCOL": "TLS"}, "one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, found TLS"),
        ({"TOUCHSTONE_SASL_MECHANISM": "GSSAPI"}, "one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, found GSSAPI"),
        ({"TOUCHSTONE_SASL_MECHANISM": ""}, "found nothing"),
        ({"TOUCHSTONE_SASL_USERNAME": ""}, "expected a user in TOUCHSTONE_SASL_USERNAME"),
        ({"TOUCHSTONE_SASL_PASSWORD": ""}, "expected the password of ada in TOUCHSTONE_SASL_PASSWORD, or better in a file"),
        ({"TOUCHSTONE_SASL_PASSWORD_FILE": "/x"}, "found both"),
        ({"TOUCHSTONE_SECURITY_PROTOCOL": "SSL"}, "TOUCHSTONE_SASL_PASSWORD would have no effect: found SSL"),
        ({"TOUCHSTONE_SECURITY_PROTOCOL": ""}, "found no TOUCHSTONE_SECURITY_PROTOCOL, which means PLAINTEXT"),
        ({"TOUCHSTONE_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "TOUCHSTONE_SSL_CAFILE": "/x"}, "TOUCHSTONE_SSL_CAFILE would have no effect"),
        ({"TOUCHSTONE_SSL_CAFILE": "/no/such"}, "TOUCHSTONE_SSL_CAFILE=/no/such to be a file that can be read, found: No such file"),
        ({"TOUCHSTONE_SSL_KEYFILE": "/x"}, "expected the certificate of the key TOUCHSTONE_SSL_KEYFILE in TOUCHSTONE_SSL_CERTFILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_what_does_not_fit_together_is_refused_with_what_is_missing(changed: dict[str, str], said: str) -> None:
    """Above all nothing falls back to an open connection without a word."""
    with pytest.raises(UsageError) as refused:
        Security.from_environment(USER | changed)

    assert said in str(refused.value)
    assert CANARY not in str(refused.value)


def test_a_file_that_holds_something_else_is_named(tmp_path: Path) -> None:
    """For authorities, certificates and keys."""
    authority = Authority(tmp_path, "ca")
    certificate, _ = authority.issue("worker")
    _, other_key = authority.issue("other")
    (tmp_path / "text").write_text("no certificate")
    tls = {"TOUCHSTONE_SECURITY_PROTOCOL": "SSL"}

    with pytest.raises(UsageError, match=r"TOUCHSTONE_SSL_CAFILE=.*/text to hold certificates of authorities in PEM"):
        Security.from_environment({**tls, "TOUCHSTONE_SSL_CAFILE": str(tmp_path / "text")}).context()
    with pytest.raises(UsageError, match=r"TOUCHSTONE_SSL_KEYFILE=.*other.key.pem its key, in PEM, found: KEY_VALUES_MISMATCH"):
        Security.from_environment({**tls, "TOUCHSTONE_SSL_CERTFILE": str(certificate), "TOUCHSTONE_SSL_KEYFILE": str(other_key)}).context()


def test_a_locked_key_is_opened_with_the_password_of_its_file_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    """Without a password OpenSSL would ask at the terminal, and wait."""
    certificate, key = Authority(tmp_path, "ca").issue("worker", password=CANARY.encode())
    (tmp_path / "key-password").write_text(CANARY + "\n")
    tls = {
        "TOUCHSTONE_SECURITY_PROTOCOL": "SSL",
        "TOUCHSTONE_SSL_CERTFILE": str(certificate),
        "TOUCHSTONE_SSL_KEYFILE": str(key),
    }

    with pytest.raises(UsageError, match="where the key is locked, TOUCHSTONE_SSL_KEY_PASSWORD_FILE"):
        Security.from_environment(tls).context()

    assert Security.from_environment({**tls, "TOUCHSTONE_SSL_KEY_PASSWORD_FILE": str(tmp_path / "key-password")}).context() is not None


def traced(security: Security) -> str:
    """A traceback with the values of all variables, as some tools print it."""
    try:
        raise RuntimeError(security)  # noqa: TRY301  # the frame with the variable is what it is about
    except RuntimeError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_no_secret_is_shown_by_anything_that_holds_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Representations, descriptions, tracebacks with their errors, log lines, Faust's settings; nor can it be pickled."""
    caplog.set_level(logging.DEBUG)
    security = Security.from_environment(USER)
    settings = WorkerSettings(
        app="a", bootstrap="k:1", instance="i", data_dir=tmp_path, partitions=1, channel_topics=("t",), output_topics=()
    )

    with pytest.MonkeyPatch.context() as patch:
        for name, value in sorted(USER.items()):
            patch.setenv(name, value)
        credentials: Any = faust_app(settings).conf.broker_credentials
    logging.getLogger("touchstone").warning("%s %r", security, security.password)
    everything = [repr(security), str(security), security.describe(), repr(credentials), traced(security), caplog.text]

    assert not [text for text in everything if CANARY in text]
    assert (security.revealed(), credentials.password) == (CANARY, CANARY)
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(Secret(CANARY))


def test_everything_that_connects_asks_how() -> None:
    """A client of Kafka that is made without `**connection(…)` would not be let in."""
    clients = ("AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "GroupTransactionalProducer")
    calls = [
        (f"{path.name}:{node.lineno}", any(word.arg is None and "connection(" in ast.unparse(word.value) for word in node.keywords))
        for path in Path(touchstone.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in clients
    ]

    assert len(calls) > 8
    assert [place for place, is_asked in calls if not is_asked] == []
