"""Claims jobs and carries them out, each in a thread of its own, until it is told to stop."""

import http.client
import logging
import queue
import random
import threading
import time

from .calls import CLAIM, LISTEN, Api, Unavailable
from .job import Job

log = logging.getLogger("worker")

WAIT_SECONDS = 5  # how long the server holds a claim if there is no work; stopping an idle worker may take as long


class Worker:
    def __init__(self, api: Api, worker_id: str, handlers: dict, concurrency: int, grace_seconds: float):
        """`grace_seconds`: how long handlers have to notice a stop."""
        self._api, self._worker_id, self._handlers = api, worker_id, handlers
        self._concurrency, self._grace_seconds = concurrency, grace_seconds
        self._running: dict = {}
        self._stopping = False
        # Wakes the loop. Not an Event: only SimpleQueue is safe to use in a signal handler.
        self._wake: queue.SimpleQueue = queue.SimpleQueue()

    def stop(self, *_signal) -> None:
        self._stopping = True
        self._wake.put(None)

    def run(self) -> None:
        """Claims and runs jobs until stopped, then hands back those that still run."""
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            while True:
                while not self._wake.empty():
                    self._wake.get()
                if self._stopping:
                    return
                room = self._concurrency - len(self._running)
                if room < 1:
                    self._wake.get()
                    continue
                for lease in self._claim(min(room, 100)):
                    self._begin(Job(self._api, lease))
        finally:
            self._hand_back()

    def _claim(self, limit: int) -> list:
        wish = {"types": list(self._handlers), "workerId": self._worker_id, "limit": limit}
        try:
            # A stop does not abort the call: its answer may be on the way, with jobs that nobody would work on.
            return self._api.call(CLAIM, lambda: self._stopping, 15 + WAIT_SECONDS, waitSeconds=WAIT_SECONDS, **wish)["leases"]
        except Unavailable:
            return []

    def _begin(self, job: Job) -> None:
        log.info("began %s (%s)", job.uuid, job.type)
        self._running[job] = threading.Thread(target=self._carry_out, args=(job,), daemon=True)
        self._running[job].start()

    def _carry_out(self, job: Job) -> None:
        try:
            job.carry_out(self._handlers[job.type])
        except Exception:
            log.exception("could not end %s; its lease will expire", job.uuid)
        finally:
            del self._running[job]
            self._wake.put(None)

    def _hand_back(self) -> None:
        running = list(self._running.items())
        for job, _ in running:
            job.halt(lost=False)
        deadline = time.monotonic() + self._grace_seconds
        for job, thread in running:
            thread.join(max(deadline - time.monotonic(), 0))
            if thread.is_alive():  # the handler did not stop: its later calls will be refused
                job.release_once()

    def _listen(self) -> None:
        """Stops jobs at once that were cancelled or whose lease is over. What is missed is learned at the next report."""
        while True:
            try:
                for event in self._api.listen(LISTEN, workerId=self._worker_id):
                    lost = event["data"]["leaseLost"]
                    for job in list(self._running):
                        if job.token == lost["token"]:
                            log.info("lost %s: %s", job.uuid, lost["reason"])
                            job.halt(lost=True)
            except (OSError, http.client.HTTPException, LookupError, TypeError, ValueError) as error:
                log.debug("not told of lost leases: %s", error)
            time.sleep(random.uniform(1, 5))
