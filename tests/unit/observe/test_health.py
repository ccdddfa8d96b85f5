"""The worker's small HTTP server, asked through a real socket."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from touchstone.errors import UsageError
from touchstone.observe.health import RunningWeb, start_web
from touchstone.observe.metrics import CONSUMED, Counts
from touchstone.observe.registry import Registry

State = dict[str, str]


def serve(state: State, ask: Callable[[RunningWeb, aiohttp.ClientSession], Awaitable[Any]]) -> Any:
    """Start the server on a free port, ask it, stop it."""

    async def run() -> Any:
        registry, counts = Registry({"channel": ["web"]}), Counts()
        counts.add(CONSUMED, "web", by=5)
        registry.flush(counts)
        server = await start_web("127.0.0.1", 0, registry, lambda: (state["state"], state["reason"]), lambda: state.get("trouble"))
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
                return await ask(server, session)
        finally:
            await server.stop()

    return asyncio.run(run())


def test_the_metrics_page_shows_the_registry() -> None:
    """GET /metrics is what Prometheus reads."""

    async def ask(_server: RunningWeb, session: aiohttp.ClientSession) -> tuple[str, str]:
        async with session.get("/metrics") as response:
            return await response.text(), response.headers["Content-Type"]

    text, content_type = serve({"state": "running", "reason": ""}, ask)

    assert 'touchstone_consumed_records_total{channel="web"} 5.0' in text
    assert content_type.startswith("text/plain; version=")


def test_a_worker_is_ready_only_while_it_runs() -> None:
    """Starting, rebalancing, restoring and draining answer 503 and say why; running answers 200. Alive are all of them."""
    state: State = {}

    async def ask(_server: RunningWeb, session: aiohttp.ClientSession) -> list[tuple[int, Any]]:
        answers = []
        for name, reason in [
            ("starting", ""),
            ("rebalancing", ""),
            ("restoring", "1200 records to go"),
            ("running", ""),
            ("draining", "asked to stop"),
        ]:
            state.update(state=name, reason=reason)
            async with session.get("/health/ready") as ready, session.get("/health/live") as live:
                assert live.status == 200
                answers.append((ready.status, json.loads(await ready.text())))
        return answers

    answers = serve(state, ask)

    assert [status for status, _ in answers] == [503, 503, 503, 200, 503]
    assert answers[2][1] == {"state": "restoring", "reason": "1200 records to go"}


def test_a_worker_in_trouble_is_neither_alive_nor_ready() -> None:
    """Whatever it was doing: who asks is told why, and a supervisor starts it again."""

    async def ask(_server: RunningWeb, session: aiohttp.ClientSession) -> list[tuple[int, Any]]:
        async with session.get("/health/live") as live, session.get("/health/ready") as ready:
            return [(live.status, await live.json()), (ready.status, await ready.json())]

    live, ready = serve({"state": "running", "reason": "the consumer died", "trouble": "the consumer died"}, ask)

    assert live == (503, {"status": "in trouble", "reason": "the consumer died"})
    assert ready == (503, {"state": "running", "reason": "the consumer died"})


def test_nothing_else_is_served_and_nothing_can_be_changed() -> None:
    """Other paths are not found, other methods not allowed."""

    async def ask(_server: RunningWeb, session: aiohttp.ClientSession) -> list[int]:
        async with session.get("/") as root, session.post("/health/ready") as post, session.get("/table") as table:
            return [root.status, post.status, table.status]

    assert serve({"state": "running", "reason": ""}, ask) == [404, 405, 404]


def test_a_taken_port_is_a_message_that_says_what_to_do() -> None:
    """The user is told which port, and that 0 finds a free one."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}: the port is taken; give another one, or 0"):
            asyncio.run(start_web("127.0.0.1", port, Registry({}), lambda: ("running", "")))


def test_an_address_that_is_not_ours_is_a_message() -> None:
    """An address of another machine cannot be listened on."""
    with pytest.raises(UsageError, match="no such address"):
        asyncio.run(start_web("192.0.2.1", 0, Registry({}), lambda: ("running", "")))


def test_after_the_stop_the_port_is_free_and_stopping_again_does_nothing() -> None:
    """A worker that was stopped can be started again on the same port."""

    async def run() -> int:
        first = await start_web("127.0.0.1", 0, Registry({}), lambda: ("running", ""))
        await first.stop()
        await first.stop()
        second = await start_web("127.0.0.1", first.port, Registry({}), lambda: ("running", ""))
        await second.stop()
        return second.port - first.port

    assert asyncio.run(run()) == 0
