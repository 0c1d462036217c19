from __future__ import annotations

import threading

import pytest

from salbox.scale.ahead import ahead


def test_all_items_come_in_order():
    assert list(ahead(iter(range(50)), lambda _: 1, most=3)) == list(range(50))


def test_no_more_bytes_wait_than_allowed():
    taken = 0
    most_waiting = 0

    def items():
        nonlocal most_waiting
        for number in range(40):
            most_waiting = max(most_waiting, number - taken)
            yield b"x" * 10

    for _ in ahead(items(), len, most=30):
        threading.Event().wait(0.002)  # the other thread could fetch them all meanwhile
        taken += 1
    assert taken == 40
    # Three wait, one has been fetched that has no room, one is in hand.
    assert most_waiting <= 5


def test_what_is_larger_than_all_that_may_wait_comes_too():
    assert [len(item) for item in ahead(iter([b"x" * 100, b"x"]), len, most=10)] == [100, 1]


def test_what_reading_raises_comes_when_its_turn_does():
    def items():
        yield 1
        raise KeyError("broken")

    found = ahead(items(), lambda _: 1)
    assert next(found) == 1
    with pytest.raises(KeyError, match="broken"):
        next(found)


def test_reading_ends_when_nobody_takes_more():
    before = threading.active_count()
    found = ahead(iter(range(1000)), lambda _: 1, most=2)
    assert next(found) == 0
    found.close()
    assert threading.active_count() == before
