"""The small HTTP server of a worker: `/metrics`, `/health/live`, `/health/ready`.

It runs inside the worker's event loop: that it answers means that the loop turns. It tells nothing personal and changes nothing, but has no
password either, so it listens on loopback unless told otherwise.
"""

import errno
import socket
from collections.abc import Callable

from aiohttp import web

from touchstone.errors import UsageError
from touchstone.observe.registry import Registry

Readiness = Callable[[], tuple[str, str]]
"""Tells what the worker is doing (a state of observe/metrics.py) and why."""

Trouble = Callable[[], str | None]
"""Tells why the worker cannot go on; None while it can, whatever it is doing."""


class RunningWeb:
    """The server while it runs. `port` is the real one, also where 0 was asked for."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self._runner = runner
        self.host = host
        self.port = port

    async def stop(self) -> None:
        """Stop answering and free the port; stopping again does nothing."""
        await self._runner.cleanup()


async def start_web(host: str, port: int, registry: Registry, ready: Readiness, trouble: Trouble = lambda: None) -> RunningWeb:
    """Serve metrics and health until stopped.

    Args:
        host: the address to listen on; 127.0.0.1 keeps it on this machine.
        port: the port, or 0 for a free one.
        registry: what `/metrics` shows.
        ready: asked on every `/health/ready`; only the state `running` is ready.
        trouble: asked on every `/health/live`; who is in trouble should be started again.

    Raises:
        UsageError: the address cannot be listened on, for example because the port is taken.
    """
    runner = web.AppRunner(_application(registry, ready, trouble), access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise UsageError(_refused(host, port, error)) from error
    return RunningWeb(runner, host, runner.addresses[0][1])


def _application(registry: Registry, ready: Readiness, trouble: Trouble) -> web.Application:
    async def metrics(request: web.Request) -> web.Response:
        body, content_type = registry.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def live(_request: web.Request) -> web.Response:
        reason = trouble()
        return web.json_response(
            {"status": "alive"} if reason is None else {"status": "in trouble", "reason": reason}, status=503 if reason else 200
        )

    async def readiness(_request: web.Request) -> web.Response:
        state, reason = ready()
        return web.json_response({"state": state, "reason": reason}, status=200 if state == "running" and trouble() is None else 503)

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    application.router.add_get("/health/live", live)
    application.router.add_get("/health/ready", readiness)
    return application


def _refused(host: str, port: int, error: OSError) -> str:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"cannot serve metrics and health on {where}: the port is taken; give another one, or 0 for a free one (a second worker: --instance w2 --web-port 0)"
    if error.errno == errno.EACCES:
        return f"cannot serve metrics and health on {where}: not permitted; give a port above 1023, or 0 for a free one"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"cannot serve metrics and health on {where}: this machine has no such address; 127.0.0.1 always works"
    return f"cannot serve metrics and health on {where}: {error.strerror or 'the address was refused'}"
