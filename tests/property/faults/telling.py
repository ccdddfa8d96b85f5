"""Faults to plant in how people are told: clocks, the short way, owners, duplicates, retention."""

from tests.property.faults.fault import Fault

FAULTS = (
    # -- time
    Fault("as_of does not travel", "journey/component.py", "if piece.as_of > header.as_of:", "if piece.as_of > 1 << 62:"),
    Fault(
        "timers are lost on a move",
        "journey/agent.py",
        "fromkeys((root, customer_id) for customer_id in touched))\n            self._rewind(component)",
        "fromkeys((root, customer_id) for customer_id in touched))",
    ),
    Fault(
        "who moves away leaves a timer",
        "journey/component.py",
        "            self._store.clear_timer(header.timer, self.root)",
        "            pass",
    ),
    Fault(
        "the short way sets no timer",
        "journey/agent.py",
        "        self._wake(component, person.next_at",
        "        (component, person.next_at",
    ),
    Fault(
        "a timer that rang is not set again",
        "journey/agent.py",
        "            self._say(component, name[1:], person, drafts, speaker, now)\n        self._rewind(component)",
        "            self._say(component, name[1:], person, drafts, speaker, now)",
    ),
    # -- the short way
    Fault(
        "the short way ignores which touchpoint is the newest",
        "journey/agent.py",
        "touchpoint.order <= person.newest",
        "touchpoint.order <= (0, '', '')",
    ),
    Fault(
        "the short way ignores deadlines that fired",
        "journey/agent.py",
        "or touchpoint.occurred_at <= person.fired:",
        "or person.fired is None:",
    ),
    Fault(
        "the short way passes a deadline that the touchpoint meets exactly",
        "journey/agent.py",
        "advance(state, journey, touchpoint.occurred_at - 1)",
        "advance(state, journey, touchpoint.occurred_at)",
    ),
    Fault(
        "the short way forgets the rest of its component",
        "journey/agent.py",
        'news == "new" and component.root not in self._stale and',
        'news == "new" and',
        "settle compares fingerprints and books; it only saves work",
    ),
    Fault(
        "a new anchor takes the short way though the limit of merges is in reach",
        "journey/agent.py",
        ">= self._journeys.limits.merges_per_person:",
        ">= 1 << 30:",
    ),
    Fault(
        "the short way forgets that an identifier holds a touchpoint now",
        "journey/agent.py",
        "node.is_anchor = True",
        "node.is_anchor |= False",
    ),
    Fault(
        "the short way takes what lies behind the horizon",
        "journey/agent.py",
        " or touchpoint.occurred_at < now - self._retention:",
        ":",
    ),
    Fault(
        "the short way gives the touchpoint to its anchor",
        "journey/agent.py",
        "        if anchor.refused is None:\n",
        "        if anchor is not None:\n",
    ),
    Fault("the short way puts off the horizon", "journey/agent.py", "or condense_at < header.condense_at:", "or False:"),
    Fault(
        "the short way says no customer", "journey/agent.py", "        self._touched[component.root, customer_id] = None", "        pass"
    ),
    # -- owners and duplicates
    Fault("a touchpoint belongs to its anchor always", "journey/settle.py", "        for x in usable:\n", "        for x in ():\n"),
    Fault(
        "duplicates are decided per component",
        "journey/settle.py",
        "        for variant in variants:\n            by",
        "        from touchstone.journey.fold import winners as w\n        for variant in [v for v in variants if v.touchpoint in w([o.touchpoint for o in variants])]:\n            by",
    ),
    Fault(
        "of two statements about other identifiers the first received counts",
        "journey/component.py",
        "        if held is None or held.variant is None:\n",
        '        if held is None:\n            return "known"\n        if held.variant is None:\n',
    ),
    Fault(
        "what is too much for a day stays",
        "journey/settle.py",
        "if len(kept) > per_day:",
        "if False:",
    ),
    Fault(
        "the short way takes what is too much for a day",
        "journey/agent.py",
        "if day < person.pace[0] or number > self._journeys.per_day:",
        "if day < person.pace[0]:",
    ),
    Fault(
        "a full day turns away also what comes earlier",
        "journey/agent.py",
        "and place(touchpoint) > node.full.get(group_name(touchpoint), _LAST):",
        "and group_name(touchpoint) in node.full:",
    ),
    Fault(
        "of two statements about the same identifiers the first received counts",
        "journey/component.py",
        "first = min(known.touchpoint, touchpoint, key=_precedence)",
        "first = known.touchpoint",
    ),
    Fault(
        "a touchpoint goes back to an earlier anchor",
        "journey/component.py",
        "Variant(max(known.index, index), first",
        "Variant(index, first",
    ),
    Fault(
        "a changed statement wakes nobody",
        "journey/agent.py",
        'settlement.everyone |= news == "changed"',
        "settlement.everyone |= False",
        "the fingerprint of its owner tells",
    ),
    Fault("fingerprints do not know times", "journey/golden.py", "\\x1f{touchpoint.occurred_at}", ""),
    Fault("fingerprints do not know keys", "journey/golden.py", "{touchpoint.key}\\x1f", ""),
    Fault(
        "the earlier known-since does not win",
        "journey/component.py",
        "node.since = since if node.since is None else min(since, node.since)",
        "node.since = since if node.since is None else node.since",
    ),
    # -- retention
    Fault("past the horizon the first touchpoints stay, not the last", "journey/retention.py", "[:-keep]", "[keep:]"),
    Fault(
        "past the horizon one state per person stays (all are dropped but the last)",
        "journey/settle.py",
        "horizon, journeys.topology.keep)",
        "horizon, 1)",
    ),
    Fault(
        "nobody wakes at the horizon",
        "journey/settle.py",
        "if young else None\n        component",
        "if young and horizon > 1 << 61 else None\n        component",
    ),
)
