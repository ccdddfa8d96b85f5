"""Every kind of fault, with the exact place that the author is sent to."""

from textwrap import dedent

import pytest

from touchstone.errors import Fault, TopologyError
from touchstone.topology.load import default_topology_path, load_text

SOUND = {
    "version": "version: 1",
    "name": "name: shop",
    "channels": "channels: {web: {aliases: [website]}, app: {}}",
    "identifiers": "identifiers: {user_id: {unique: true}, cookie: {aliases: [ecid]}}",
    "journeys": "journeys: {buy: {phases: [a, b], rules: [{name: r1, when: {}, to: a}, {name: r2, when: {type: x}, to: b}]}}",
}


def faults_of(text: str) -> tuple[Fault, ...]:
    """What loading the text finds wrong."""
    with pytest.raises(TopologyError) as caught:
        load_text(text, "t.yaml")
    return caught.value.faults


def with_line(line: str) -> str:
    """A sound topology in which one line (the sixth or that of its key) is this one; more lines follow it."""
    text = dedent(line).strip("\n")
    key = text.split(":", 1)[0]
    rest = [one for name, one in SOUND.items() if name != key]
    return "\n".join([*rest, text])


def rules(rule: str) -> str:
    """A sound topology with a further rule, in line 9 from column 11."""
    return with_line(
        f"""
        journeys:
          buy:
            phases: [a, b]
            rules:
            - {{name: r1, when: {{}}, to: a}}
            - {{name: r2, when: {{type: x}}, to: b}}
            - {rule}
        """
    )


CASES = {
    "unknown key, with the nearest": (
        with_line("latenes: 24h"), 6, 1, "latenes", "unknown key `latenes`: did you mean `lateness`?"),
    "unknown key, nothing near": (
        with_line("limits: {zzz: 1}"), 6, 10, "limits.zzz",
        "unknown key `zzz`: expected one of `dead_letters`, `identifiers_per_person`, `merges_per_person`, `profile`, `record`, `touchpoints_per_day`"),
    "record larger than state can hold": (
        with_line("limits: {record: 2MiB}"), 6, 18, "limits.record", "expected at most 1024KiB, found 2048KiB"),
    "profile larger than an output can hold": (
        with_line("limits: {profile: 1025KiB}"), 6, 19, "limits.profile", "expected at most 1024KiB, found 1025KiB"),
    "unknown key, not one that stands there already": (
        rules("{name: r3, form: b, without: {}, for: 1h, to: a}"), 11, 18, "journeys.buy.rules[2].form",
        "unknown key `form`: did you mean `from`?"),
    "unknown key, like one that stands there already": (
        with_line("channells: {}"), 6, 1, "channells", "unknown key `channells`: did you mean `channels`, which is there already?"),
    "misspelt key that must be there": (
        "\n".join(SOUND.values()).replace("channels:", "channells:"), 3, 1, "channells", "did you mean `channels`?"),
    "misspelt phase, which is not unreachable because of that": (
        "\n".join(SOUND.values()).replace("[a, b]", "[a, bought]").replace("to: b}", "to: bougth}"),
        5, 108, "journeys.buy.rules[1].to", "unknown phase `bougth`: did you mean `bought`?"),
    "missing key": (
        rules("{name: r3, when: {}}"), 11, 7, "journeys.buy.rules[2]", "missing key `to`"),
    "missing key of the file": (
        "name: shop\n" + "\n".join((SOUND["channels"], SOUND["identifiers"], SOUND["journeys"])), 1, 1, "", "missing key `version`"),
    "duplicate key": (
        with_line("channels:\n  web: {}\n  web: {}"), 7, 3, "channels.web", "duplicate key `web`: it stands in line 6 already"),
    "unknown channel": (
        rules("{name: r3, when: {channel: wbe}, to: b}"), 11, 34, "journeys.buy.rules[2].when.channel",
        "unknown channel `wbe`: did you mean `web`?"),
    "unknown channel of an absence": (
        rules("{name: r3, from: b, without: {channel: [app, shop]}, for: 1h, to: a}"), 11, 52, "journeys.buy.rules[2].without.channel[1]",
        "unknown channel `shop`: expected one of `app`, `web`, `website`"),
    "unknown phase in to": (
        rules("{name: r3, when: {}, to: c}"), 11, 32, "journeys.buy.rules[2].to", "unknown phase `c`: expected one of `a`, `b`"),
    "unknown phase in from": (
        rules("{name: r3, from: [a, bb], when: {}, to: b}"), 11, 28, "journeys.buy.rules[2].from[1]",
        "unknown phase `bb`: did you mean `b`?"),
    "unknown journey of an output": (
        with_line("outputs: {o: {topic: o, journeys: buyy}}"), 6, 35, "outputs.o.journeys", "unknown journey `buyy`: did you mean `buy`?"),
    "unknown phase of an output": (
        with_line("outputs: {o: {topic: o, phases: [a, x]}}"), 6, 37, "outputs.o.phases[1]", "unknown phase `x`: expected one of `a`, `b`"),
    "unknown kind of an output": (
        with_line("outputs: {o: {topic: o, kinds: [transitions]}}"), 6, 33, "outputs.o.kinds[0]",
        "unknown word `transitions`: did you mean `transition`?"),
    "unknown purpose of an output": (
        with_line("outputs: {o: {topic: o, purpose: marketin}}\nconsent: {marketing: {}, service: {}}"), 6, 34, "outputs.o.purpose",
        "unknown purpose `marketin`: did you mean `marketing`?"),
    "unknown rule of a conflict": (
        with_line("consent: {marketing: {on_conflict: most_recnt}}"), 6, 36, "consent.marketing.on_conflict",
        "unknown word `most_recnt`: did you mean `most_recent`?"),
    "identifiers without a rank": (
        with_line("identifiers: [user_id, cookie]"), 5, 14, "identifiers", "expected a mapping (`key: value`), found a list"),
    "no identifiers": (with_line("identifiers: {}"), 5, 14, "identifiers", "expected at least one of the identifiers, found none"),
    "an identifier's name that cannot be part of a key": (
        with_line("identifiers: {'user:id': {}}"), 5, 15, "identifiers.user:id", "expected a name: a letter, then letters"),
    "duplicate alias": (
        with_line("identifiers:\n  a: {aliases: [x]}\n  b: {aliases: [y, x]}"), 7, 20, "identifiers.b.aliases[1]",
        "duplicate alias `x`: identifiers.a has it already"),
    "alias twice in one list": (
        with_line("types:\n  a: {aliases: [x, x]}"), 7, 20, "types.a.aliases[1]", "duplicate alias `x`: types.a has it already"),
    "alias that hides a name": (
        with_line("channels:\n  web: {aliases: [app]}\n  app: {}"), 6, 19, "channels.web.aliases[0]",
        "the alias `app` hides channels.app (line 7)"),
    "alias that is the name": (
        with_line("types: {a: {aliases: [a]}}"), 6, 23, "types.a.aliases[0]", "`a` is the name itself"),
    "duration without a unit": (
        with_line("lateness: 48"), 6, 11, "lateness", "duration without a unit: expected duration such as 48h, found 48; did you mean 48s, 48h or 48d?"),
    "duration with an unknown unit": (
        with_line("lateness: 48x"), 6, 11, "lateness", "unknown unit 'x' in '48x': expected a duration such as 48h, with one of ms, s, m, h, d, w"),
    "duration that is none": (
        with_line("lateness: a day"), 6, 11, "lateness", "expected a duration such as 48h (a whole number with one of ms, s, m, h, d, w), found 'a day'"),
    "duration of nothing": (
        rules("{name: r3, from: b, without: {}, for: 0h, to: a}"), 11, 45, "journeys.buy.rules[2].for", "expected more than 0"),
    "size without a unit": (
        with_line("limits: {record: 64}"), 6, 18, "limits.record", "size without a unit: expected size such as 64KiB, found 64; did you mean 64KiB or 64MiB?"),
    "unreachable phase": (
        with_line("journeys: {buy: {phases: [a, b], rules: [{name: r, when: {}, to: b}]}}"), 5, 27, "journeys.buy.phases[0]",
        "unreachable phase `a`: no rule leads to it"),
    "phase that only unreachable phases lead to": (
        with_line("journeys: {j: {phases: [a, b], rules: [{name: r, when: {}, to: a}, {name: s, from: b, when: {}, to: b}]}}"),
        5, 28, "journeys.j.phases[1]", "unreachable phase `b`: only s leads there, from phases that nobody reaches"),
    "duplicate phase": (
        with_line("journeys: {j: {phases: [a, a], rules: [{name: r, when: {}, to: a}]}}"), 5, 28, "journeys.j.phases[1]", "duplicate phase `a`"),
    "dormant as a phase": (
        with_line("journeys: {j: {phases: [a, dormant], rules: [{name: r, when: {}, to: a}]}}"), 5, 28, "journeys.j.phases[1]",
        "`dormant` is a state beside the phases"),
    "duplicate rule name": (
        rules("{name: r2, when: {}, to: b}"), 11, 14, "journeys.buy.rules[2].name", "duplicate rule name `r2`: line 10 has it already"),
    "damping beyond the retention": (
        with_line("journeys: {j: {phases: [a], rules: [{name: r, when: {}, to: a}], damping: {at_most: 1, within: 4000d}}}"),
        5, 96, "journeys.j.damping.within", "expected at most the retention of 3650d"),
    "rule that never fires": (rules("{name: r3, to: b}"), 11, 7, "journeys.buy.rules[2]", "the rule `r3` never fires"),
    "rule with both causes": (
        rules("{name: r3, from: b, when: {}, without: {}, for: 1h, to: a}"), 11, 37, "journeys.buy.rules[2].without",
        "expected `when` or `without`, found both"),
    "absence without a time": (
        rules("{name: r3, from: b, without: {}, to: a}"), 11, 27, "journeys.buy.rules[2].without", "an absence needs its time: add `for`"),
    "absence without a phase": (
        rules("{name: r3, without: {}, for: 1h, to: a}"), 11, 18, "journeys.buy.rules[2].without", "an absence needs its phase: add `from`"),
    "absence that leads to itself": (
        rules("{name: r3, from: [a, b], without: {}, for: 1h, to: a}"), 11, 58, "journeys.buy.rules[2].to", "an absence in `a` cannot lead to `a`"),
    "time of an absence on a touchpoint rule": (
        rules("{name: r3, when: {}, for: 1h, to: b}"), 11, 28, "journeys.buy.rules[2].for", "`for` belongs to `without`"),
    "count without within": (
        rules("{name: r3, when: {count: 2}, to: b}"), 11, 25, "journeys.buy.rules[2].when.count", "`count` needs the time it counts in"),
    "within without count or after": (
        rules("{name: r3, when: {within: 7d}, to: b}"), 11, 25, "journeys.buy.rules[2].when.within", "`within` needs something to measure"),
    "window longer than the retention": (
        rules("{name: r3, when: {count: 2, within: 4000d}, to: b}"), 11, 43, "journeys.buy.rules[2].when.within",
        "expected at most the retention of 3650d"),
    "lateness longer than the retention": (
        with_line("lateness: 9999d"), 6, 11, "lateness", "expected at most the retention of 3650d"),
    "dormancy longer than the retention": (
        with_line("journeys: {j: {phases: [a], rules: [{name: r, when: {}, to: a}], dormant: {after: 9999d}}}"), 5, 83,
        "journeys.j.dormant.after", "expected at most the retention of 3650d"),
    "guard below what is allowed": (
        with_line("identifiers:\n  email: {per_person: 5}\n  phone: {persons: 5, guard: {stronger: 20}}"), 7, 41,
        "identifiers.phone.guard.stronger", "expected at least 25 (5 people with 5 email each are allowed), found 20"),
    "guard below what its own kind allows": (
        with_line("identifiers:\n  email: {persons: 2, per_person: 11}"), 6, 10, "identifiers.email", "expected at least 22"),
    "unique with several values": (
        with_line("identifiers: {u: {unique: true, per_person: 3}}"), 5, 45, "identifiers.u.per_person", "a unique kind has one value per person"),
    "one topic for two": (
        with_line("channels: {web: {}, app: {topic: touchpoints.web.v1}}"), 5, 34, "channels.app.topic",
        "the topic `touchpoints.web.v1` is already that of channels.web.topic"),
    "output over the moments": (
        with_line("outputs: {o: {topic: moments.v1}}"), 6, 22, "outputs.o.topic", "the topic `moments.v1` is already that of topics.moments"),
    "not a name of a topic": (
        with_line("channels: {web: {topic: 'a b'}}"), 5, 25, "channels.web.topic", "expected the name of a topic"),
    "text where a number belongs": (
        with_line('version: "1"'), 5, 10, "version", "expected a whole number, found the text `1`"),
    "true where a number belongs": (with_line("version: true"), 5, 10, "version", "expected a whole number, found true"),
    "number too small": (with_line("partitions: 0"), 6, 13, "partitions", "expected at least 1, found 0"),
    "number too large": (with_line("partitions: 10001"), 6, 13, "partitions", "expected at most 10000, found 10001"),
    "number where text belongs": (
        rules("{name: r3, when: {type: 5}, to: b}"), 11, 31, "journeys.buy.rules[2].when.type", "expected a word or a list of words, found 5"),
    "unquoted value in blocked": (
        with_line("blocked: [0000]"), 6, 11, "blocked[0]", "expected text, found 0; put it in quotes"),
    "nothing where a mapping belongs": (
        with_line("channels:\n  web:\n  app: {}"), 6, 3, "channels.web", "found nothing; write `{}` for the defaults"),
    "text where a list belongs": (
        with_line("types: {a: {aliases: b}}"), 6, 22, "types.a.aliases", "expected a list, found the text `b`; write `[b]`"),
    "word that is none of a few": (with_line("clock: event_time"), 6, 8, "clock", "unknown word `event_time`: did you mean `event`?"),
    "condition that asks nothing": (
        rules("{name: r3, when: {where: {rating: {}}}, to: b}"), 11, 41, "journeys.buy.rules[2].when.where.rating", "nothing is asked of `rating`"),
    "unknown comparison": (
        rules("{name: r3, when: {where: {rating: {atleast: 4}}}, to: b}"), 11, 42, "journeys.buy.rules[2].when.where.rating.atleast",
        "unknown key `atleast`: did you mean `at_least`?"),
    "comparison of order with text": (
        rules("{name: r3, when: {where: {rating: {above: x}}}, to: b}"), 11, 49, "journeys.buy.rules[2].when.where.rating.above",
        "expected a number, found 'x'"),
    "list without in": (
        rules("{name: r3, when: {where: {rating: [4, 5]}}, to: b}"), 11, 41, "journeys.buy.rules[2].when.where.rating",
        "for several values write {in: [...]}"),
    "not an attribute": (
        rules("{name: r3, when: {where: {a..b: 4}}, to: b}"), 11, 33, "journeys.buy.rules[2].when.where.a..b", "expected an attribute such as"),
    "not a regular expression": (with_line("blocked: ['/(/']"), 6, 11, "blocked[0]", "not a regular expression: missing )"),
    "regular expression that can run for ever": (
        with_line("blocked: ['/^(a+)+$/']"), 6, 11, "blocked[0]", "which can run for ever; write it flat"),
    "regular expression too long": (
        with_line(f"blocked: ['/{'a' * 201}/']"), 6, 11, "blocked[0]", "a regular expression of at most 200 characters, found 201"),
    "empty list of words": (
        rules("{name: r3, when: {type: []}, to: b}"), 11, 31, "journeys.buy.rules[2].when.type", "expected at least 1 entry, found 0"),
    "not a mapping": ("[1, 2]", 1, 1, "", "expected a mapping with version, name"),
    "only a word": ("touchstone", 1, 1, "", "expected a mapping with version, name"),
    "empty file": ("\n", 1, 1, "", "expected a topology, found an empty file"),
    "comments": ("# nothing but a comment\n", 1, 1, "", "expected a topology, found nothing but comments"),
    "broken YAML": ("version: 1\nname: [shop\nchannels: {}\n", 3, 9, "", "not valid YAML"),
    "a colon too many": ("version: 1\nname: a: b\n", 2, 8, "", "put text that holds `: ` in quotes"),
    "a tab": ("version: 1\nchannels:\n\tweb: {}\n", 3, 1, "", "indent with spaces, not tabs"),
    "two documents": ("version: 1\n---\nversion: 2\n", 2, 1, "", "but found another document"),
    "character that YAML forbids": ("version: 1\nname: a\x07b\n", 2, 8, "", "the character U+0007 is not allowed"),
    "unknown alias of YAML": ("version: 1\nname: *shop\n", 2, 7, "", "found undefined alias 'shop'"),
    "merge key": (with_line("limits: {<<: {record: 1KiB}}"), 6, 10, "limits.<<", "merge keys (<<) are not supported"),
    "tag": (with_line("lateness: !seconds 5"), 6, 11, "lateness", "the tag !seconds is not supported"),
    "key that is a list": (with_line("types: {[a]: {}}"), 6, 9, "types", "expected a word as key"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "path", "message"), CASES.values(), ids=CASES.keys())
def test_a_fault_is_named_with_its_place_and_what_to_do(text: str, line: int, column: int, path: str, message: str) -> None:
    """One thing is wrong: one fault, at the line and column where the author must act, in words that say how."""
    faults = faults_of(text)

    assert [(fault.line, fault.column, fault.path, fault.file) for fault in faults] == [(line, column, path, "t.yaml")], faults
    assert message in faults[0].message


def test_all_faults_are_named_at_once() -> None:
    """Faults of every sort stand side by side, in the order of the file; one does not hide another."""
    text = dedent(
        """
        version: 1
        nam: shop
        lateness: 24
        channels: {web: {media: onwed}, web: {}}
        identifiers: {user_id: {uniqe: true}, email: {persons: 30}}
        journeys:
          buy:
            phases: [aware, bought, gone]
            rules:
              - {name: saw, when: {typ: ad}, to: awaer}
              - {name: saw, when: {type: ad, chanel: web, channel: wbe}, to: bought}
        outputs: {o: {topic: t, journeys: [byu], purpose: ad}}
        consent: {ads: {asumed: granted}}
        """
    ).lstrip()

    places = [(fault.line, fault.column, fault.message.split(":")[0]) for fault in faults_of(text)]

    assert places == [
        (2, 1, "unknown key `nam`"),
        (3, 11, "duration without a unit"),
        (4, 25, "unknown word `onwed`"),
        (4, 33, "duplicate key `web`"),
        (5, 25, "unknown key `uniqe`"),
        (8, 29, "unreachable phase `gone`"),
        (10, 28, "unknown key `typ`"),
        (10, 42, "unknown phase `awaer`"),
        (11, 16, "duplicate rule name `saw`"),
        (11, 38, "unknown key `chanel`"),
        (11, 60, "unknown channel `wbe`"),
        (12, 36, "unknown journey `byu`"),
        (12, 51, "unknown purpose `ad`"),
        (13, 17, "unknown key `asumed`"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        rules("{name: r3, when: {}, to: 5}"),
        rules("{name: r3, from: 5, without: {}, for: 1h, to: a}"),
        rules("{name: r3, when: {count: 2, within: 7}, to: b}"),
        rules("{name: r3, when: 5, to: b}"),
        with_line("journeys: {j: {phases: [5], rules: [{name: r, when: {}, to: a}]}}"),
        with_line("journeys: {j: {phases: [a, b], rules: [{name: r, when: {}, to: a}, {name: s, when: {}, to: 5}]}}"),
        with_line("journeys: {j: {phases: [a], rules: 5}}"),
        with_line("outputs: {o: {topic: o, kinds: [x]}}"),
        with_line("channels: 5"),
        "\n".join(line for key, line in SOUND.items() if key != "channels"),
        "\n".join(line for key, line in SOUND.items() if key != "identifiers"),
        with_line("name: 5"),
        with_line("identifiers: {user_id: {aliases: 5}}"),
    ],
)
def test_one_fault_does_not_bring_forth_others(text: str) -> None:
    """What looks missing or unreachable only because a value was refused is not reported a second time."""
    assert len(faults_of(text)) == 1


def test_a_circle_of_absences_is_refused() -> None:
    """Two absences that lead to each other would move a silent person for ever."""
    text = with_line(
        """
        journeys:
          j:
            phases: [a, b]
            rules:
            - {name: r, when: {}, to: a}
            - {name: forth, without: {}, from: a, for: 1ms, to: b}
            - {name: back, without: {}, from: b, for: 1ms, to: a}
        """
    )

    faults = faults_of(text)

    assert [(fault.line, fault.column) for fault in faults] == [(10, 7)]
    assert "part of a circle" in faults[0].message


def test_there_is_an_end_to_the_list_of_faults() -> None:
    """Thousands of faults are cut off at 200, and the last line says that there are more."""
    text = with_line("blocked: [" + ", ".join("1" for _ in range(5_000)) + "]")

    faults = faults_of(text)

    assert len(faults) == 200
    assert faults[-1].message == "more faults follow; mend these first"


def test_a_fault_in_a_rule_does_not_hide_an_unknown_phase_of_an_output() -> None:
    """`All at once` means all: only a lost definition of phases may keep quiet about them."""
    text = default_topology_path().read_text().replace("type: search}", "tipe: search}")
    text += "\noutputs:\n  ws: {topic: ws.v1, phases: [deu]}\n"

    with pytest.raises(TopologyError) as raised:
        load_text(text, "t.yaml")

    assert any("deu" in fault.message for fault in raised.value.faults)
