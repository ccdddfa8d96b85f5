"""What happens to brokers, and to the connections to them."""

import asyncio
import signal

from tests.fault.crew import process_state
from tests.fault.scene import Fault, NotProven, Scene


class KillBroker(Fault):
    """SIGKILL of a broker, which comes back some seconds later. On three brokers the others go on meanwhile."""

    def __init__(self, *, controller: bool = False, seconds: float = 3.0) -> None:
        self.name = "active controller killed and restarted" if controller else "broker killed and restarted"
        self._controller = controller
        self._seconds = seconds
        self._node = 0
        self._code = 0
        self._next = 0

    async def inject(self, scene: Scene) -> None:
        cluster = scene.cluster
        leader = cluster.active_controller()
        others = [node for node in cluster.running if node != leader]
        self._node = leader if self._controller or not others else scene.random.choice(others)
        self._code = await asyncio.to_thread(cluster.kill, self._node)
        await asyncio.sleep(self._seconds)  # how long the fault lasts
        self._next = cluster.active_controller() if cluster.running else 0

    async def heal(self, scene: Scene) -> None:
        await asyncio.to_thread(scene.cluster.start, self._node)

    async def proof(self, scene: Scene) -> str:
        if self._code != -signal.SIGKILL:
            raise NotProven(f"exit code {self._code}")
        led = f"; node {self._next} led then" if self._next else ""
        if self._controller and len(scene.proxies) > 1 and self._next == self._node:
            raise NotProven("the controller that was killed is still the leader")
        return f"node {self._node} ended by signal 9{led}"


class FreezeBroker(Fault):
    """SIGSTOP of a broker, then SIGCONT: its connections stay open and nobody answers."""

    name = "broker SIGSTOP and CONT"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._node = 0
        self._state = ""

    async def inject(self, scene: Scene) -> None:
        self._node = scene.random.choice(scene.cluster.running)
        scene.cluster.pause(self._node)
        await asyncio.sleep(self._seconds)  # how long the fault lasts
        self._state = process_state(scene.cluster.pid(self._node))

    async def heal(self, scene: Scene) -> None:
        scene.cluster.resume(self._node)

    async def proof(self, scene: Scene) -> str:
        if self._state != "T":
            raise NotProven(f"the process was in state {self._state!r}, expected T")
        return f"node {self._node} stood still for {self._seconds:.0f} s"


class CutConnections(Fault):
    """All connections of the workers are reset, and for a while none can be made."""

    name = "connections cut"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._cut = self._refused = 0

    async def inject(self, scene: Scene) -> None:
        before = sum(proxy.counters.refused for proxy in scene.proxies)
        for proxy in scene.proxies:
            proxy.refuses = True
        self._cut = sum([await asyncio.to_thread(proxy.cut) for proxy in scene.proxies])
        await asyncio.sleep(self._seconds)  # how long the fault lasts
        self._refused = sum(proxy.counters.refused for proxy in scene.proxies) - before

    async def heal(self, scene: Scene) -> None:
        for proxy in scene.proxies:
            proxy.refuses = False

    async def proof(self, scene: Scene) -> str:
        if not (self._cut and self._refused):
            raise NotProven(f"{self._cut} connections were cut, {self._refused} refused")
        return f"{self._cut} connections reset, {self._refused} refused in {self._seconds:.0f} s"


class DelayConnections(Fault):
    """Everything between workers and brokers takes longer."""

    name = "connections delayed"

    def __init__(self, delay_s: float, seconds: float) -> None:
        self._delay_s = delay_s
        self._seconds = seconds
        self._delayed = 0

    async def inject(self, scene: Scene) -> None:
        before = sum(proxy.counters.delayed for proxy in scene.proxies)
        for proxy in scene.proxies:
            proxy.delay_s = self._delay_s
        await asyncio.sleep(self._seconds)  # how long the fault lasts
        self._delayed = sum(proxy.counters.delayed for proxy in scene.proxies) - before

    async def heal(self, scene: Scene) -> None:
        for proxy in scene.proxies:
            proxy.delay_s = 0.0

    async def proof(self, scene: Scene) -> str:
        if not self._delayed:
            raise NotProven("nothing was delayed")
        return f"{self._delayed} pieces were held back for {self._delay_s * 1000:.0f} ms"


class HalfOpen(Fault):
    """The connections that are open swallow everything for ever, and no end hears of it; new ones work."""

    name = "connections half open"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._before = self._pairs = 0

    async def inject(self, scene: Scene) -> None:
        self._before = sum(proxy.counters.swallowed for proxy in scene.proxies)
        self._pairs = sum([await asyncio.to_thread(proxy.half_open) for proxy in scene.proxies])
        await asyncio.sleep(self._seconds)  # how long it is looked at before the recovery is measured

    async def heal(self, scene: Scene) -> None:
        """Who hangs on a dead connection must notice it."""

    async def proof(self, scene: Scene) -> str:
        swallowed = sum(proxy.counters.swallowed for proxy in scene.proxies) - self._before
        if not (self._pairs and swallowed):
            raise NotProven(f"{self._pairs} connections half open, {swallowed} pieces swallowed")
        return f"{self._pairs} connections half open, {swallowed} pieces swallowed"
