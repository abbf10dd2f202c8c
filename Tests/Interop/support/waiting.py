"""Waiting for conditions, never for a time."""

import time


class NeverHappened(AssertionError):
    """A condition that did not come true before its deadline."""


def wait_until(what, condition, deadline=20.0):
    """Asks `condition` until its answer is true, and returns that; `what` says in an error what was waited for."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise NeverHappened(f"{what}: not within {deadline:g} s")
        time.sleep(0.01)
