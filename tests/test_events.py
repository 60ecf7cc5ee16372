"""Progress goes to whoever watches, in order, and costs nothing where nobody does."""

from __future__ import annotations

from surefoot.events import Announcer, Event


def test_every_sink_gets_every_event_in_order():
    one, other = [], []
    announcer = Announcer((one.append, other.append))
    announcer.say("reading")
    announcer.progress("packing", 3, 10)
    announcer.emit("step_start", name="s02_audit", index=2)
    assert [(event.kind, event.data) for event in one] == [
        ("say", {"text": "reading"}),
        ("progress", {"what": "packing", "done": 3, "total": 10}),
        ("step_start", {"name": "s02_audit", "index": 2}),
    ]
    assert other == one


def test_events_tell_when_they_happened():
    seen: list[Event] = []
    announcer = Announcer((seen.append,))
    announcer.say("one")
    announcer.say("two")
    assert 0 < seen[0].at <= seen[1].at


def test_nobody_needs_to_watch():
    assert Announcer().say("to nobody") is None
    assert Announcer().progress("nothing", 0, 0) is None
