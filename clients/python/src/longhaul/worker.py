"""Claims jobs and runs their handlers."""

from __future__ import annotations

import logging
import os
import queue
import signal
import socket
import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional, TypeVar

from . import documents
from .attempt import Attempt
from .client import Client
from .context import Context
from .errors import LonghaulError, is_worth_waiting
from .events import follow
from .http import payload_of
from .inputs import reader_of
from .limit import Ended, Limit, backoff

log = logging.getLogger("longhaul")

Handler = TypeVar("Handler", bound=Callable[..., Any])

WAIT_SECONDS = 5
"""How long the server holds a claim where there is no work."""

CLAIM_ENDS_WITHIN = 0.5
"""Seconds that a claim has after a stop: what its answer brings, if that is on the way, is handed back. Then it is broken off, and the server
hands back what it may still find for it."""

STOP_WITHIN = 5.0
"""How many seconds a handler that was told DRAIN has to end."""


class Worker:
    def __init__(self, client: Client, *, concurrency: int = 1, worker_id: Optional[str] = None, drain_seconds: float = 20):
        """`client`: with a key that has WORK. `concurrency`: jobs at the same time, each in a thread of its own. `worker_id`: recorded in the
        attempts; the machine's name and the process's number where not given. `drain_seconds`: for so long running jobs may go on after a
        stop; then they are told DRAIN, and handed back."""
        if concurrency < 1:
            raise ValueError(f"A worker with a concurrency of {concurrency} does nothing. Give 1 or more.")
        self.worker_id = worker_id or f"{socket.gethostname()}:{os.getpid()}"
        self._http = client.http
        self._concurrency, self._drain_seconds = concurrency, drain_seconds
        self._handlers: dict[str, tuple[Callable[[object], object], Callable[[Context, Any], Any]]] = {}
        self._running: dict[str, Attempt] = {}
        self._stops = 0
        self._stopped_at: Optional[float] = None
        # Says that there is something to look at. Not an Event: of all that wakes only SimpleQueue may be used in a signal's handler.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._claiming = Limit()
        self._stopping: queue.SimpleQueue[None] = queue.SimpleQueue()

    def handler(self, type: str) -> Callable[[Handler], Handler]:
        """Registers a function as the handler of a job type: `def export(ctx, input)`. Its return value is the job's output. Where the
        annotation of `input` is a dataclass, it gets one."""

        def register(run: Handler) -> Handler:
            self._handlers[type] = (reader_of(run), run)
            return run

        return register

    def run(self) -> None:
        """Works until it is stopped, and returns when nothing runs any more. In the main thread SIGTERM and SIGINT stop it; in any other,
        `stop` does. Raises where the server refuses its claims, as with a key without WORK."""
        if not self._handlers:
            raise ValueError("This worker has no handlers. Register one with @worker.handler(type).")
        listening = Limit()
        threading.Thread(target=self._listen, args=(listening,), name="longhaul-leases", daemon=True).start()
        threading.Thread(target=self._end_claims, name="longhaul-stop", daemon=True).start()
        with self._signals():
            try:
                log.info("working on %s as %s", ", ".join(self._handlers), self.worker_id)
                self._claim_all()
            finally:
                self._drain()
                listening.end()
        log.info("stopped")

    def stop(self) -> None:
        """Claims no more, lets what runs go on for `drain_seconds`, then hands it back. Returns at once; `run` returns when that is done. A
        second stop hands back without waiting. From any thread, and from a signal's handler. A worker that was stopped stays so."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
        self._stops += 1
        self._wake.put(None)
        self._stopping.put(None)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        # Python lets no other thread set them.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, lambda *_: self.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _claim_all(self) -> None:
        failures = 0
        while True:
            while not self._wake.empty():
                self._wake.get()
            if self._stops > 0:
                return
            room = self._concurrency - len(self._running)
            if room < 1:
                self._wake.get()
                continue
            try:
                leases = self._claim(min(room, 100))
            except Ended:
                return
            except LonghaulError as error:
                if not is_worth_waiting(error):
                    raise
                log.warning("could not claim, and tries again: %s", error)
                self._wait(backoff(failures, error), lambda: self._stops > 0)
                failures += 1
                continue
            failures = 0
            for lease in leases:
                self._begin(lease)

    def _claim(self, limit: int) -> list[dict[str, Any]]:
        values = {"types": list(self._handlers), "workerId": self.worker_id, "limit": limit, "waitSeconds": WAIT_SECONDS}
        # If its answer is lost, other workers get its jobs when the leases expire.
        answer = payload_of(self._http.once(documents.CLAIM, {"input": values}, self._claiming, WAIT_SECONDS + 15))
        return list(answer["leases"])

    def _end_claims(self) -> None:
        # In a thread of its own: a signal's handler may not take the locks that this takes.
        self._stopping.get()
        time.sleep(CLAIM_ENDS_WITHIN)
        self._claiming.end()

    def _begin(self, lease: dict[str, Any]) -> None:
        read, run = self._handlers[lease["job"]["type"]]
        attempt = Attempt(self._http, read, run, lease)
        if self._stops > 0:  # while the claim waited
            attempt.release()
            return
        self._running[lease["token"]] = attempt
        threading.Thread(target=self._carry_out, args=(lease["token"], attempt), name="longhaul-job", daemon=True).start()

    def _carry_out(self, token: str, attempt: Attempt) -> None:
        try:
            attempt.carry_out()
        except Exception:
            log.exception("an attempt could not be ended, its lease will expire")
        finally:
            del self._running[token]
            self._wake.put(None)

    def _drain(self) -> None:
        # From the stop on: whoever sent the signal may not wait for more than half a minute, and a claim took some of that.
        waited = time.monotonic() - (self._stopped_at or time.monotonic())
        self._wait(self._drain_seconds - waited, lambda: not self._running or self._stops > 1)
        for attempt in list(self._running.values()):
            attempt.stop("DRAIN")
        self._wait(STOP_WITHIN, lambda: not self._running)
        # Side by side, as each may take as long as the others where the server is away.
        releasing = [threading.Thread(target=attempt.release, daemon=True) for attempt in list(self._running.values())]
        for thread in releasing:
            thread.start()
        for thread in releasing:
            thread.join()

    def _wait(self, seconds: float, enough: Callable[[], bool]) -> None:
        until = time.monotonic() + seconds
        while not enough() and (left := until - time.monotonic()) > 0:
            try:
                self._wake.get(timeout=left)
            except queue.Empty:
                return

    def _listen(self, listening: Limit) -> None:
        """Stops jobs at once that were cancelled, or whose lease is over. What is missed is learned at the next report."""
        try:
            for lost in follow(
                self._http, documents.LEASE_LOST, lambda: {"workerId": self.worker_id}, lambda data: [data["leaseLost"]], listening
            ):
                attempt = self._running.get(lost["token"])
                if attempt is not None:
                    attempt.stop(lost["reason"] if lost["reason"] in ("CANCELLED", "TIMEOUT") else "LEASE_LOST")
        except Ended:
            pass
        except LonghaulError as error:
            log.warning("is not told of lost leases, and learns of them at its next report: %s", error)
