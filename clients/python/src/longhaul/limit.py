"""How long something may go on: until its time is over, or until somebody ends it, from any thread."""

from __future__ import annotations

import random
import socket
import threading
import time
from typing import Optional

from .errors import LonghaulError, TimedOut


MOST_FAILURES = 9
"""So often in a row nothing of a file may get through, before sending or reading it fails."""


class Ended(Exception):
    """What this belonged to was ended by another thread."""


class Limit:
    def __init__(self, timeout: Optional[float] = None):
        """`timeout`: seconds from now on; None for no end."""
        self._timeout = timeout
        self._ends_at = None if timeout is None else time.monotonic() + timeout
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()

    @property
    def left(self) -> Optional[float]:
        """Seconds; None where time does not end it."""
        return None if self._ends_at is None else max(0.0, self._ends_at - time.monotonic())

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def end(self) -> None:
        """Wakes whoever sleeps or reads under this limit. May be called twice."""
        with self._lock:
            self._ended.set()
            for one in self._sockets:
                # Closing alone would not wake a thread that reads.
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def check(self) -> None:
        """Raises Ended or TimedOut."""
        if self.ended:
            raise Ended
        if self._ends_at is not None and self._timeout is not None and time.monotonic() >= self._ends_at:
            raise TimedOut(self._timeout)

    def cap(self, seconds: float) -> float:
        """At most so many seconds, and no more than are left; above zero, as sockets take it."""
        return seconds if self._ends_at is None else max(0.001, min(seconds, self._ends_at - time.monotonic()))

    def pause(self, seconds: float) -> None:
        self._ended.wait(self.cap(seconds))
        self.check()

    def watch(self, one: socket.socket) -> None:
        with self._lock:
            if self.ended:
                raise Ended
            self._sockets.add(one)

    def forget(self, one: socket.socket) -> None:
        with self._lock:
            self._sockets.discard(one)


def backoff(failures: int, error: Optional[LonghaulError] = None) -> float:
    """Seconds before the next try: doubles from 0.2 to 8, with jitter, so that clients of a restarted server spread. No less than `error`
    asks for."""
    seconds = min(8.0, 0.2 * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1)
    return max(seconds, error.retry_after or 0) if error is not None else seconds
