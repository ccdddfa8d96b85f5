"""What to say when Kafka cannot be reached: aiokafka keeps the reason to itself, so the broker is asked once more, and its answer put in words."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import NamedTuple

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

_CONNECT_S = 4.0
"""So long a client may take to connect before it is asked whether anybody answers at all."""
_ASK_S = 3.0
_EXPLAIN_S = 10.0
"""Of a broker that has refused us the reason is wanted; on a busy machine a handshake with TLS and a password takes seconds."""
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


async def start(client: Awaitable[None], bootstrap: str) -> None:
    """Await the start of a client of aiokafka, as long as a broker answers: one that takes connections and says nothing would hold it for minutes.

    Raises:
        Retriable: No broker answers.
        KafkaError: The start failed; for `reaching`.
    """
    starting = asyncio.ensure_future(client)
    try:
        done, _ = await asyncio.wait([starting], timeout=_CONNECT_S)
        if not done and (silence := await silent(bootstrap, _ASK_S, _CONNECT_S)) is not None:
            raise Retriable(f"expected to reach Kafka at {bootstrap}, found {silence}; {_NOBODY}")
        await starting
    finally:
        if not starting.done():
            starting.cancel()
            await asyncio.wait([starting])


async def silent(bootstrap: str, within_s: float, waited_s: float = 0.0) -> str | None:
    """Why none of the brokers answers within that time, and had not in the time waited before; None where one does, be it to refuse us."""
    answers = await _answers(bootstrap, process_security(), within_s, waited_s)
    return None if any(answer.is_one for answer in answers) else answers[0].found


class _Answer(NamedTuple):
    """`is_one`: somebody has answered. `found`: what was found, in words; None where we were let in."""

    is_one: bool
    found: str | None


async def _ask(bootstrap: str, security: Security) -> str | None:
    """What is to be said of brokers that cannot be reached; None where one lets us in by now."""
    answers = await _answers(bootstrap, security, _EXPLAIN_S)
    said = [answer for answer in answers if answer.is_one]
    if any(answer.found is None for answer in said):
        return None
    return said[0].found if said else f"{answers[0].found}; {_NOBODY}"


async def _answers(bootstrap: str, security: Security, within_s: float, waited_s: float = 0.0) -> list[_Answer]:
    asking = [_answer(host, port, security, within_s, waited_s) for host, port, _ in collect_hosts(bootstrap)]
    return await asyncio.gather(*asking)


async def _answer(host: str, port: int, security: Security, within_s: float, waited_s: float) -> _Answer:
    try:
        async with asyncio.timeout(within_s):
            arguments = security.client_arguments()
            broker = await create_conn(host, port, client_id="touchstone-ask", request_timeout_ms=int(within_s * 1_000), **arguments)
            try:
                await broker.send(MetadataRequest([]))
            finally:
                broker.close()
    except (KafkaError, OSError, TimeoutError) as error:
        if (words := _in_words(error, security)) is not None:
            return _Answer(True, words)
        return _Answer(False, _silence(error, waited_s + within_s))
    return _Answer(True, None)


def _silence(error: BaseException, within_s: float) -> str:
    """Why nobody answered."""
    if isinstance(error, ConnectionRefusedError):
        return "nobody who listens there"
    if isinstance(error, socket.gaierror):
        return "no machine of that name"
    if isinstance(error, TimeoutError):
        return f"no answer within {within_s:.0f} s"
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
