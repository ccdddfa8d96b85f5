"""Stories that are wrong say so: in their file, in what they expect, in the order in which things come."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from touchstone.errors import UsageError
from touchstone.scenario.load import load_scenario_text, load_scenarios
from touchstone.scenario.moments import moment_pattern
from touchstone.scenario.run import Arrival, Scenario, Told
from touchstone.scenario.times import FIRST_DAY_MS, time_ms, time_text

HOUR = 3_600_000

KIOSK = """
story: Three visits to a kiosk
given:
  - {at: "11:00", type: search, identifiers: {user_id: alice, device_id: dev9}}
  - {at: "11:05", type: ad_view, identifiers: {user_id: bob, device_id: dev9}}
  - {at: "11:07", type: cart_add, identifiers: {device_id: dev9, email: test@test.com}}
then:
  people: [{user_id: alice}, {user_id: bob}]
  nobody: [{device_id: dev9}]
  customers:
    - {of: {user_id: alice}, phase: interest, cycle: 1, moments: ["start -> interest 11:00 searched, skipping awareness"]}
  counted: {ignored_identifiers: {email blocked: 1}}
  largest_component: 3
  log: {asserted: 3, retracted: [], identity: {linked: 1, shared: 1}, became: [{id_of: {user_id: alice}, status: active}]}
"""


def story(text: str = KIOSK) -> Scenario:
    """The only story of a text."""
    (scenario,) = load_scenario_text(text, "story.yaml")
    return scenario


def test_a_true_story_has_no_failures() -> None:
    """Nothing is said where all is as expected."""
    assert story().run() == []


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("[{user_id: alice}, {user_id: bob}]", "3", "people: expected 3, found 2"),
        ("{user_id: bob}]", "{user_id: bob, device_id: dev9}]", "people: expected, but not found: {device_id:dev9, user_id:bob}"),
        ("{user_id: bob}]", "{user_id: bob, device_id: dev9}]", "people: found, but not expected: {user_id:bob}"),
        ("  nobody: [{device_id: dev9}]\n", "", "nobody: found, but not expected: {device_id:dev9}"),
        ("phase: interest", "phase: decision", "customers[0] (user_id:alice): phase: expected decision, found interest"),
        ("cycle: 1", "cycle: 2", "customers[0] (user_id:alice): cycle: expected 2, found 1"),
        ("cycle: 1", "since: 11:01", "customers[0] (user_id:alice): since: expected 11:01, found 11:00"),
        ("cycle: 1", "deadline: 30d 11:01", "deadline: expected 30d 11:01, found 30d 11:00"),
        ("cycle: 1", "dormant: yes", "dormant: expected True, found False"),
        ("cycle: 1", "interactions: {web: 2}", 'interactions: expected {"web": 2}, found {"web": 1}'),
        ("cycle: 1", "attributes: {city: Kiel}", 'attributes: expected {"city": "Kiel"}, found {}'),
        ("cycle: 1", "golden: {city: {value: Kiel}}", 'golden: city: expected "Kiel", found no such attribute'),
        (
            "  nobody:",
            '  held: [{identifier: {user_id: bob}, as_of: "11:04", by: [{user_id: bob}]}]\n  nobody:',
            "held: user_id:bob as of 11:04: expected {user_id:bob}, found none",
        ),
        ("{of: {user_id: alice}", "{of: {user_id: carl}", "(user_id:carl): expected one customer with these identifiers, found 0: none"),
        (
            "{of: {user_id: alice}",
            "{of: {user_id: [alice, bob]}",
            "expected one customer with these identifiers, found 2: {user_id:alice}, {",
        ),
        (
            ", skipping awareness",
            "",
            "- start -> interest 11:00 searched\n    found\n      + start -> interest 11:00 searched, skipping awareness",
        ),
        ("11:00 searched, ", "11:00 searched, timeout, ", "- start -> interest 11:00 searched, timeout, skipping awareness"),
        (
            "{email blocked: 1}",
            "{email blocked: 2}",
            'counted: ignored_identifiers: expected {"email blocked": 2}, found {"email blocked": 1}',
        ),
        ("largest_component: 3", "largest_component: 2", "largest_component: expected at most 2 identifiers, found 3 (as given)"),
        ("asserted: 3", "asserted: 4", "log: asserted: expected 4, found 3"),
        (
            "retracted: []",
            'retracted: ["start -> use 10:00 using"]',
            "log: retracted: expected\n      - start -> use 10:00 using\n    found\n        none",
        ),
        ("shared: 1}", "shared: 2}", 'log: identity: expected {"linked": 1, "shared": 2}, found {"linked": 1, "shared": 1}'),
        ("shared: 1}", "shared generic: 1}", 'found {"linked": 1, "shared": 1}'),
        ("status: active}", "status: merged}", "log: became: the id of user_id:alice: expected merged, found active"),
        (
            "{id_of: {user_id: alice}",
            "{id_of: {user_id: eve}",
            "the id of user_id:eve: expected active, found that nothing was ever said of it",
        ),
        ("  counted", "  dead_letters: {too_old: 1}\n  counted", 'dead_letters: expected {"too_old": 1}, found {}'),
    ],
)
def test_what_is_not_as_expected_is_told_with_both_sides(written: str, instead: str, said: str) -> None:
    """Every expectation can fail, and its message shows what was expected and what was found."""
    assert written in KIOSK

    failures = story(KIOSK.replace(written, instead)).run()

    assert any(said in failure for failure in failures), failures


def test_a_dead_letter_that_nobody_expects_fails_the_story() -> None:
    """A misspelt touchpoint would otherwise make a story true that says nothing."""
    failures = story(KIOSK.replace("type: ad_view", "type: ad_view, channel: fax")).run()

    assert 'dead_letters: expected {}, found {"unknown_channel": 1}' in failures


def test_orders_that_end_differently_are_told_with_the_differences() -> None:
    """A fault is planted: one touchpoint is lost in every order but the given one."""
    scenario = story()

    class Forgetful(Scenario):
        def _tell(self, arrival: Arrival) -> Told:
            return super()._tell(arrival if arrival.name == "as given" else replace(arrival, lines=arrival.lines[1:]))

    forgetful = Forgetful(scenario.story, scenario.topology, scenario.lines, scenario.latest, scenario.file, scenario.line)

    failures = forgetful.run()

    assert failures[0].startswith("orders: as given, on 1 partitions, it ends differently:\n    moment ")
    assert "only in as given: purchase transition start -> interest by searched" in failures[0]
    assert failures[-1].endswith("more orders that end differently")


def test_all_permutations_come_on_all_partitions() -> None:
    """Three touchpoints have six orders; the number of partitions changes from one to the next."""
    scenario = story(KIOSK + "orders: {permute: all, random: 0}\n")

    arrivals = list(scenario.arrivals())

    assert len(arrivals) == 3 + 6
    assert {arrival.partitions for arrival in arrivals[3:]} == {1, 3, 12}
    assert len({arrival.lines for arrival in arrivals[3:]}) == 6


def test_named_touchpoints_change_places_among_themselves() -> None:
    """All others stay where they are."""
    scenario = story(KIOSK + "orders: {permute: [t1, t3], random: 0}\n")

    orders = [[line.event_id for line in arrival.lines] for arrival in scenario.arrivals()][3:]

    assert orders == [["t1", "t2", "t3"], ["t3", "t2", "t1"]]


def test_random_orders_bring_some_touchpoints_twice() -> None:
    """At least one; every touchpoint comes."""
    scenario = story(KIOSK + "orders: {random: 4}\n")

    random = [arrival for arrival in scenario.arrivals() if arrival.has_duplicates]

    assert len(random) == 4
    assert all(len(arrival.lines) > 3 and set(arrival.lines) == set(scenario.lines) for arrival in random)


def test_a_repeated_touchpoint_is_numbered_and_paced() -> None:
    """`{n}` is the number of the repetition in every text; `every` moves the time on, also for steps that follow."""
    text = """
story: Calls
given:
  - {at: "09:00", every: 1m, repeat: 3, type: quote, identifiers: {email: "c{n}@x.org"}, properties: {call: ["no {n}"]}}
  - {at: +5m, event_id: last, type: quote, identifiers: {email: c1@x.org}, received_at: +1h, padding: 1KiB}
then: {people: 3}
"""
    lines = story(text).lines

    assert [line.event_id for line in lines] == ["t1-1", "t1-2", "t1-3", "last"]
    assert b'"occurred_at":"2024-05-01T09:02:00.000Z"' in lines[2].text
    assert b'"email":"c3@x.org"' in lines[2].text
    assert b'"call":["no 3"]' in lines[2].text
    assert b'"occurred_at":"2024-05-01T09:07:00.000Z","received_at":"2024-05-01T10:07:00.000Z"' in lines[3].text
    assert len(lines[3].text) > 1024


def test_the_end_may_not_lie_before_the_latest_receipt() -> None:
    """Time cannot go back; the story is told what it should be at least."""
    failures = story(KIOSK + "when: {as_of: 11:06}\n").run()

    assert failures == ["when: as_of: expected a time not before the latest receipt, 11:07, found 11:06"]


@pytest.mark.parametrize(
    ("written", "instead", "fault"),
    [
        ("people:", "peopel:", "story.yaml:8:3: then.peopel: unknown key `peopel`: did you mean `people`?"),
        ('at: "11:00"', "at: noon", "story.yaml:4:10: given[0].at: expected a time such as `10:00`, `2d 10:00`, `+48h`"),
        ("type: ad_view, ", "", "story.yaml:5:5: given[1]: expected `type`: a touchpoint needs at, type and identifiers"),
        ("{user_id: bob}]", "{user: bob}]", "story.yaml:8:31: then.people[1].user: expected a kind of identifier, found `user`: did you mean `user_id`?"),
        ("-> interest 11:00", "to interest 11:00", "then.customers[0].moments[0]: expected a moment such as `start -> interest 09:00 searched"),
        ("ignored_identifiers", "ignored_identifier", "story.yaml:12:13: then.counted.ignored_identifier: expected a metric that counts"),
        ("  counted", "  dead_letters: {to_old: 1}\n  counted", "then.dead_letters.to_old: expected a reason, found `to_old`: did you mean `too_old`?"),
        ("then:", "orders: {permute: [t1, t9]}\nthen:", "story.yaml:7:24: orders.permute[1]: no touchpoint has the event id `t9`"),
        ("then:", "orders: {random: -1}\nthen:", "orders.random: expected at least 0, found -1"),
        ("then:", "topology: {identifiers: {phone: {person: 1}}}\nthen:", "story.yaml:7:34: topology.identifiers.phone.person: unknown key `person`"),
        ("then:", "topology: {identifers: {}}\nthen:", "story.yaml:7:12: topology.identifers: unknown key `identifers`"),
        ("story: Three visits to a kiosk\n", "", "missing key `story`"),
        ("then:", "then: [\nthen:", "not valid YAML"),
    ],
)  # fmt: skip
def test_a_fault_in_a_story_has_its_place_and_the_nearest_word(written: str, instead: str, fault: str) -> None:
    """File, line and column, what was expected and what stands there."""
    assert written in KIOSK

    with pytest.raises(UsageError) as wrong:
        story(KIOSK.replace(written, instead, 1))

    assert fault in str(wrong.value)


def test_all_faults_of_a_file_are_told_at_once() -> None:
    """In the order of their lines."""
    text = KIOSK.replace('at: "11:00"', "at: noon").replace("phase: interest", "fase: interest")

    with pytest.raises(UsageError) as wrong:
        story(text)

    assert [line.split(":")[1] for line in str(wrong.value).splitlines()] == ["4", "11"]


def test_too_many_to_permute_are_refused() -> None:
    """Seven touchpoints have 5,040 orders."""
    text = 'story: x\ngiven: [{at: "10:00", type: a, identifiers: {user_id: u}, repeat: 7}]\nthen: {people: 1}\norders: {permute: all}\n'

    with pytest.raises(UsageError, match="expected at most 6 touchpoints to permute, found 7"):
        story(text)


def test_a_topology_may_be_changed_for_one_story() -> None:
    """Maps are joined, a null takes away, and the other stories of the process keep theirs."""
    changed = KIOSK + "topology: {identifiers: {device_id: {persons: 2}, cookie: null}}\n"

    scenario = story(changed)

    assert scenario.topology.kinds["device_id"].persons == 2
    assert "cookie" not in scenario.topology.kinds
    assert list(scenario.topology.kinds)[:2] == ["user_id", "loyalty_id"]
    assert story().topology.kinds["device_id"].persons == 1


def test_the_documented_story_is_true() -> None:
    """The example of docs/reference/scenarios.md runs, and its lines of moments can be read."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "scenarios.md").read_text("utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]

    moments = [line.strip() for line in page.splitlines() if line.startswith("    ") and re.match(r" +\w+ -> \w+ (\d+d )?\d", line)]

    assert story(example).run() == []
    assert len(moments) == 4
    assert all(moment_pattern().fullmatch(moment) for moment in moments)


def test_a_file_may_hold_one_story_or_many(tmp_path: Path) -> None:
    """Each knows its line."""
    one, many = tmp_path / "one.yaml", tmp_path / "many.yaml"
    one.write_text(KIOSK)
    indented = KIOSK.strip().replace("\n", "\n  ")
    many.write_text(f"- {indented}\n- {indented}\n")

    assert [scenario.line for scenario in load_scenarios(one)] == [2]
    assert [scenario.line for scenario in load_scenarios(many)] == [1, 14]


def test_a_file_that_cannot_be_read_is_the_users_mistake(tmp_path: Path) -> None:
    """Missing, or no text."""
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_scenarios(tmp_path / "missing.yaml")
    with pytest.raises(UsageError, match="expected UTF-8"):
        load_scenarios(tmp_path / "binary.yaml")


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("10:00", 10),
        ("2d 10:00", 58),
        ("-1d 23:00", -1),
        ("9:00:00.000", 9),
        ("+48h", 49),
        ("-30m", 0.5),
        ("+1d2h30m", 27.5),
        ("2024-05-01T03:00:00Z", 3),
        ("2024-05-01T03:00:00+02:00", 1),
    ],
)
def test_a_time_is_read_as_written(written: str, hours: float) -> None:
    """A clock time counts from the first day, a step from what was before (here 01:00)."""
    assert time_ms(written, FIRST_DAY_MS + HOUR) == FIRST_DAY_MS + hours * HOUR


@pytest.mark.parametrize("text", ["10:00", "2d 09:05", "-3d 23:59", "31d 10:00:07", "09:00:00.001"])
def test_a_time_is_told_as_it_would_be_written(text: str) -> None:
    """The shortest form, read again, is the same time."""
    assert time_text(time_ms(text, 0)) == text


def test_a_time_far_away_is_told_as_a_date() -> None:
    """A number of days in six figures tells nobody anything."""
    assert time_text(FIRST_DAY_MS - 9_999 * 24 * HOUR) == "-9999d 00:00"
    assert time_text(-(10**12)) == "1938-04-24T22:13:20.000Z"


SURVIVED = """
story: Two cities
topology: {attributes: {city: {multi: true, by: [longest]}}}
given:
  - {at: "11:00", type: profile, source: crm, identifiers: {user_id: alice}, profile: {city: Bonn}}
  - {at: "12:00", type: profile, source: shop, identifiers: {user_id: alice}, profile: {city: [Kiel, Bad Ems]}}
then:
  customers:
    - of: {user_id: alice}
      golden:
        city:
          value: Bad Ems
          source: shop
          at: "12:00"
          rule: longest
          lost: [{value: Kiel, at: "12:00"}, {value: Bonn, lost_by: longest}]
          periods: ["Bonn 11:00 ->", "Kiel 12:00 ->", "Bad Ems 12:00 ->"]
"""


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("", "", None),
        ("value: Bad Ems", "value: Kiel", 'golden: city: value: expected "Kiel", found "Bad Ems"'),
        ("source: shop\n", "source: crm\n", 'golden: city: source: expected "crm", found "shop"'),
        ('at: "12:00"\n', 'at: "12:01"\n', 'golden: city: at: expected "12:01", found "12:00"'),
        ("rule: longest", "rule: most_recent", 'golden: city: rule: expected "most_recent", found "longest"'),
        (", {value: Bonn, lost_by: longest}", "", 'golden: city: lost: expected [{"value": "Kiel", "at": "12:00"}], found'),
        ("lost_by: longest", "lost_by: ended", 'golden: city: lost: expected [{"value": "Kiel"'),
        ('"Bonn 11:00 ->"', '"Bonn 11:00 -> 12:00"', 'golden: city: periods: expected ["Bonn 11:00 -> 12:00"'),
    ],
)
def test_what_is_expected_of_a_golden_record_is_compared_part_by_part(written: str, instead: str, said: str | None) -> None:
    """The value, where it comes from, by which rule, what lost, and when values held."""
    failures = story(SURVIVED.replace(written, instead, 1)).run()

    assert len(failures) == (said is not None)
    assert all(said in failure for failure in failures if said is not None)
