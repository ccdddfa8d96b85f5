"""An output that asks for consent, on a real broker: live, and built anew under a stricter rule."""

from contextlib import suppress
from pathlib import Path
from random import Random

import msgspec

from tests.kafka.test_end_to_end import run, system_on
from tests.kafka.test_generations import agrees, topics, work
from touchstone.model.output import Carried
from touchstone.simulate import simulate
from touchstone.testing.generator import generate
from touchstone.topology.load import default_topology_path

ASKING = """
consent: {marketing: {on_conflict: RULE}}
outputs: {marketing: {topic: marketing-moments.v1, journeys: [purchase], purpose: marketing}}
"""


def asking(file: Path, rule: str) -> Path:
    """The shipped topology with an output for marketing, and this rule for conflicts."""
    file.write_text(default_topology_path().read_text() + ASKING.replace("RULE", rule))
    return file


def speaking(lines: list[bytes]) -> list[bytes]:
    """In every third touchpoint somebody says something of marketing, more often yes."""
    random = Random(7)
    spoken = []
    for line in lines:
        if line.startswith(b"{") and line.endswith(b"}") and random.random() < 0.34:
            with suppress(msgspec.DecodeError):  # the generator's garbage stays garbage
                line = msgspec.json.encode(msgspec.json.decode(line) | {"consents": {"marketing": random.random() < 0.7}})  # noqa: PLW2901
        spoken.append(line)
    return spoken


def test_what_an_output_carries_is_the_twins_and_a_stricter_rule_takes_back_what_it_has_got(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    """Read from its own topic. `rebuild` reads that topic back: what may not be carried any more is retracted with a higher revision."""
    lines = speaking(list(generate(800, seed=41).lines))
    system = system_on(kafka, tmp_path / "state", topic_prefix, asking(tmp_path / "mild.yaml", "most_recent"))
    strict = system_on(kafka, tmp_path / "state", topic_prefix, asking(tmp_path / "strict.yaml", "most_restrictive"))
    truth, truth_then = simulate(lines, system.topology), simulate(lines, strict.topology)
    carried, carried_then = ({row["moment_id"] for row in one.final["outputs"]} for one in (truth, truth_then))
    assert carried - carried_then, "the stricter rule was to take something back"
    assert carried_then
    assert len(carried) < len(truth.final["moments"])

    async def story() -> None:
        await work(system, lines, truth.as_of)
        await agrees(system, truth)
        before = [record.moment for record in await system.records() if isinstance(record, Carried)]
        code, said = await topics(strict, "rebuild", "--yes")
        assert code == 0, said

        strict.generation = 2
        await work(strict, [], truth.as_of)

        await agrees(strict, truth_then)
        since = [record.moment for record in await strict.records() if isinstance(record, Carried) and record.moment not in before]
        revisions = {moment.moment_id: moment.revision for moment in before}
        withdrawn = {moment.moment_id: moment for moment in since if moment.action == "retract"}
        assert carried - carried_then <= withdrawn.keys()
        # Not each of them for this reason: a replay meets merges on its way, too.
        assert "consent_withdrawn" in {withdrawn[name].corrects for name in carried - carried_then}
        assert all(moment.revision > revisions[moment.moment_id] for moment in since if moment.moment_id in revisions)

    run(system, story)
