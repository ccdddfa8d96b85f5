"""What to say when Kafka cannot be reached: aiokafka keeps the reason to itself, so the broker is asked once more, and its answer put in words."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from touchstone.errors import Retriable
from touchstone.runtime.security import (
    CAFILE,
    CERTFILE,
    KEYFILE,
    MECHANISM,
    PASSWORD,
    PROTOCOL,
    USERNAME,
    Security,
    process_security,
)

_ASK_MS = 10_000
_NAME_MISMATCH = {62, 64}
"""OpenSSL's codes for a certificate of another host name or address."""
_WANTS_CERTIFICATE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
_REFUSES_CERTIFICATE = ("ALERT_CERTIFICATE", "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_UNSUPPORTED_CERTIFICATE")
_NOBODY = "is it running, is the address right? `touchstone kafka start` starts one here, --bootstrap HOST:PORT or TOUCHSTONE_BOOTSTRAP names another"


@asynccontextmanager
async def reaching(bootstrap: str, security: Security | None = None) -> AsyncIterator[None]:
    """For as long as the block lasts, an error of Kafka becomes one that says what was expected, found, and is to be done.

    Raises:
        Retriable: The brokers cannot be reached, do not let us in, or refuse.
    """
    try:
        yield
    except KafkaError as error:
        raise await unreachable(bootstrap, error, security) from error


async def unreachable(bootstrap: str, error: KafkaError, security: Security | None = None) -> Retriable:
    """What an error of Kafka means for whoever has to mend it."""
    security = security or process_security()
    found = None
    if isinstance(error, KafkaConnectionError | SaslAuthenticationFailed | UnsupportedSaslMechanismError | IllegalSaslStateError):
        found = await _ask(bootstrap, security)
    elif "Authorization" in type(error).__name__:
        found = f"that this user may not do it ({type(error).__name__}); docs/operate.md lists the rights that are needed"
    how = "" if security.protocol == "PLAINTEXT" else f" ({security.describe()})"
    return Retriable(f"expected to reach Kafka at {bootstrap}{how}, found {found or f'{error!r}; {_NOBODY}'}")


async def _ask(bootstrap: str, security: Security) -> str | None:
    """What the first broker says that answers at all; None where one lets us in by now."""
    silent = None
    for host, port, _ in collect_hosts(bootstrap):
        try:
            broker = await create_conn(host, port, client_id="touchstone-ask", request_timeout_ms=_ASK_MS, **security.client_arguments())
            try:
                await broker.send(MetadataRequest([]))
            finally:
                broker.close()
        except (KafkaError, OSError, TimeoutError) as error:
            if (answer := _in_words(error, security)) is not None:
                return answer
            silent = silent or f"{_silence(error)}; {_NOBODY}"
        else:
            return None
    return silent


def _silence(error: BaseException) -> str:
    """Why nobody answered."""
    if isinstance(error, ConnectionRefusedError):
        return "nobody who listens there"
    if isinstance(error, socket.gaierror):
        return "no machine of that name"
    if isinstance(error, TimeoutError):
        return f"no answer within {_ASK_MS // 1_000} s"
    return f"{type(error).__name__} ({error})"


def _in_words(error: BaseException, security: Security) -> str | None:
    """What a broker that answered has said; None where nobody did."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, ssl.SSLError):
        return _tls(error, security)
    if isinstance(cause, ssl.SSLError):
        return _tls(cause, security)
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"that the broker does not let the user {security.username} in by {security.mechanism}; look at {USERNAME} and {PASSWORD}, and whether "
            f"the user was made for {security.mechanism}: SCRAM-SHA-256 and SCRAM-SHA-512 have a password each"
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"a broker that does not offer {security.mechanism}; set {MECHANISM} to one that it offers"
    if isinstance(error, IllegalSaslStateError):
        return f"a listener without users; set {PROTOCOL} to {security.protocol.removeprefix('SASL_')}, or take the port of one with users"
    if isinstance(error, KafkaConnectionError | ConnectionResetError | EOFError):
        wish = f", or it wants a client certificate ({CERTFILE}, {KEYFILE})" if security.protocol == "SSL" and not security.certfile else ""
        return (
            f"that the broker hangs up at once: its listener expects another {PROTOCOL} than {security.protocol}{wish}, or it is no Kafka"
        )
    return None


def _tls(error: ssl.SSLError, security: Security) -> str:
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _NAME_MISMATCH:
            return f"a certificate for another name ({error.verify_message}); connect by a name that stands in the broker's certificate"
        trusted = f"{CAFILE}={security.cafile}" if security.cafile else "this machine's authorities"
        return (
            f"a certificate that {trusted} do{'es' if security.cafile else ''} not vouch for ({error.verify_message}); name the authority "
            f"that signed the broker's certificate in {CAFILE}"
        )
    if any(word in reason for word in _WANTS_CERTIFICATE) and not security.certfile:
        return f"that the broker wants a client certificate and got none; name yours in {CERTFILE} and its key in {KEYFILE}"
    if any(word in reason for word in (*_REFUSES_CERTIFICATE, *_WANTS_CERTIFICATE)):
        return (
            f"that the broker does not accept the certificate {security.certfile} ({reason.lower().replace('_', ' ')}); name one in {CERTFILE} that is valid "
            "and signed by an authority that the brokers trust"
        )
    return f"no TLS that both understand ({reason.lower().replace('_', ' ')}); is {PROTOCOL}={security.protocol} what this port speaks?"
