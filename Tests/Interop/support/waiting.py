"""Waits for conditions instead of fixed times."""

import time


class WaitTimeout(AssertionError):
    """A condition did not become true before its deadline."""


def wait_until(what, condition, deadline=20.0):
    """Calls `condition` until its result is true, and returns that; `what` describes the condition in the error."""
    end = time.monotonic() + deadline
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise WaitTimeout(f"{what}: not within {deadline:g} s")
        time.sleep(0.01)
