"""What an attempt tells on its way, and that it is alive: a thread of its own for each attempt, so that a handler that computes, or waits
for long, keeps its lease."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import Any, Callable, Optional

from . import documents
from .errors import LeaseLostError, LonghaulError, is_worth_waiting
from .http import Http, payload_of
from .limit import Ended, Limit, backoff

log = logging.getLogger("longhaul")

MOST_LINES = 1_000
"""As many as one call takes."""

GATHER = 0.1
"""Seconds for which lines and reports wait for others."""


class Reports:
    def __init__(self, http: Http, token: str, seconds: float, limit: Limit, on_lost: Callable[[], None]):
        """`seconds`: how long the lease lasts from each call on. By that alone: this machine's clock may differ from the server's."""
        self._http, self._token, self._limit, self._on_lost = http, token, limit, on_lost
        self._renew_every = seconds / 3
        self._waiting: queue.SimpleQueue[Optional[tuple[str, Any]]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="longhaul-heartbeat", daemon=True)
        self._over = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def report(self, values: dict[str, Any]) -> None:
        """Later values take the place of earlier ones that are not sent yet."""
        self._waiting.put(("report", values))

    def line(self, line: dict[str, Any]) -> None:
        self._waiting.put(("line", line))

    def flush(self) -> None:
        """Returns when all that was told so far was sent, or the attempt is over."""
        sent = threading.Event()
        self._waiting.put(("flush", sent))
        while not sent.wait(0.5):
            if self._limit.ended or not self._thread.is_alive():
                return

    def stop(self) -> None:
        self._over.set()
        self._waiting.put(None)

    def _work(self) -> None:
        try:
            renewed = time.monotonic()
            while not self._over.is_set():
                report, lines, flushes = self._gather(max(0.0, self._renew_every - (time.monotonic() - renewed)))
                began = time.monotonic()
                taken = [self._send(documents.REPORT, report)] if report else []
                for start in range(0, len(lines), MOST_LINES):
                    taken.append(self._send_lines(lines[start : start + MOST_LINES]))
                # What was refused has renewed nothing.
                if any(taken) or (began - renewed >= self._renew_every and self._send(documents.REPORT, {})):
                    renewed = began
                for sent in flushes:
                    sent.set()
        except Ended:
            pass

    def _gather(self, seconds: float) -> tuple[dict[str, Any], list[dict[str, Any]], list[threading.Event]]:
        report: dict[str, Any] = {}
        lines: list[dict[str, Any]] = []
        flushes: list[threading.Event] = []
        until = time.monotonic() + seconds
        while True:
            try:
                told = self._waiting.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return report, lines, flushes
            if told is None:
                return report, lines, flushes
            kind, value = told
            if kind == "report":
                report.update(value)
            elif kind == "line":
                lines.append(value)
            else:
                flushes.append(value)
            until = min(until, time.monotonic() + (0 if flushes else GATHER))

    def _send_lines(self, lines: list[dict[str, Any]]) -> bool:
        """One line that is refused, or many that are too large together, keep no other from the log. Returns whether any was taken."""
        if self._send(documents.APPEND_LOGS, {"lines": lines}):
            return True
        if len(lines) > 1:
            half = len(lines) // 2
            return any([self._send_lines(lines[:half]), self._send_lines(lines[half:])])
        return self._send(documents.APPEND_LOGS, {"lines": [{name: lines[0][name] for name in ("level", "message", "at")}]})

    def _send(self, document: str, values: dict[str, Any]) -> bool:
        """Tries until it arrives, or the attempt is over. What is refused is dropped: a report is never worth an attempt. Returns whether
        it was taken, which renews the lease."""
        failures = 0
        while not self._over.is_set():
            try:
                payload_of(self._http.once(document, {"input": {"token": self._token, **values}}, self._limit))
                return True
            except LeaseLostError:
                self._on_lost()
                raise Ended from None
            except (LonghaulError, TypeError, ValueError) as error:
                # Nothing of a handler's may end this thread: the lease would end with it.
                if not isinstance(error, LonghaulError) or not is_worth_waiting(error):
                    log.warning("A report was refused, and is dropped: %s", error)
                    return False
                failures += 1
                # Often, as the lease runs; but never sooner than the server asks.
                pause = max(min(backoff(failures), self._renew_every), error.retry_after or 0)
            self._limit.pause(pause)
        return False
