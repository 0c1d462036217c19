"""The processes of the service: batches, a queue with an end, and what happens when one dies or hangs."""

from __future__ import annotations

import os
import signal
import time

import pytest
from desks import answering, broken

from salbox.errors import SalboxError
from salbox.serve.jobs import Job
from salbox.serve.pool import Busy, Limits, Pool

SECONDS = 60


@pytest.fixture
def pool():
    made = Pool(answering, 1, Limits(queue=6, bytes=1000, batch=4, seconds=SECONDS))
    yield made
    made.close()


def sleeping(seconds: float) -> Job:
    return Job("sleep", b"z", {"seconds": seconds})


def text(future) -> str:
    answer = future.result(SECONDS)
    assert not answer.problem
    return answer.body.decode()


def wait_until(condition) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_waits_goes_together_and_each_gets_its_own_answer(pool):
    first = pool.submit(sleeping(0.3))
    wait_until(lambda: pool.waiting == 0)
    others = [pool.submit(Job("maps", str(k).encode())) for k in range(5)]
    assert text(first).split()[:2] == ["z", "1"]
    assert [text(other).split()[:2] for other in others] == [["0", "4"], ["1", "4"], ["2", "4"], ["3", "4"], ["4", "1"]]


def test_the_queue_has_an_end(pool):
    first = pool.submit(sleeping(0.5))
    wait_until(lambda: pool.waiting == 0)
    waiting = [pool.submit(Job("maps", b"a")) for _ in range(6)]
    with pytest.raises(Busy, match="6 images wait"):
        pool.submit(Job("maps", b"a"))
    assert all(text(future) for future in [first, *waiting])
    assert text(pool.submit(Job("maps", b"again")))


def test_bytes_that_wait_have_an_end_too(pool):
    pool.submit(sleeping(0.5))
    wait_until(lambda: pool.waiting == 0)
    pool.submit(Job("maps", b"a" * 900))
    with pytest.raises(Busy):
        pool.submit(Job("maps", b"a" * 200))
    assert text(pool.submit(Job("maps", b"a" * 50)))


def test_nothing_is_lost_when_a_process_is_killed(pool):
    (pid,) = pool.pids
    futures = [pool.submit(sleeping(0.2)) for _ in range(3)]
    wait_until(lambda: pool.waiting == 0)
    os.kill(pid, signal.SIGKILL)
    pids = {text(future).split()[2] for future in futures}
    assert str(pid) not in pids
    assert pool.restarts == 1


def test_one_that_kills_its_process_once_is_answered_in_the_next(pool, tmp_path):
    assert text(pool.submit(Job("die once", b"a", {"sign": str(tmp_path / "sign")})))
    assert pool.restarts == 1


def test_one_that_always_kills_is_given_up_and_costs_the_others_nothing(pool):
    pool.submit(sleeping(0.2))
    wait_until(lambda: pool.waiting == 0)
    others = [pool.submit(Job("maps", b"good")) for _ in range(2)]
    bad = pool.submit(Job("die", b"bad"))
    answer = bad.result(SECONDS)
    assert answer.failed
    assert "ends the process" in answer.problem
    assert all(text(other).startswith("good") for other in others)


def test_one_that_takes_too_long_is_given_up():
    pool = Pool(answering, 1, Limits(seconds=0.2))
    try:
        answer = pool.submit(sleeping(30)).result(SECONDS)
        assert answer.failed
        assert "takes too long" in answer.problem
        assert text(pool.submit(Job("maps", b"next")))
    finally:
        pool.close()


def test_what_cannot_begin_is_an_error():
    with pytest.raises(SalboxError, match="the weights are gone"):
        Pool(broken, 1)


def test_a_closed_pool_leaves_nobody_waiting(pool):
    running = pool.submit(sleeping(20))
    wait_until(lambda: pool.waiting == 0)
    waiting = pool.submit(Job("maps", b"a"))
    pool.close()
    assert waiting.result(SECONDS).problem == "the service is going down"
    assert running.result(SECONDS).failed
    with pytest.raises(Busy):
        pool.submit(Job("maps", b"a"))
