#!/usr/bin/env python3
"""A complete Longhaul worker in Python's standard library (3.9 or later).

    LONGHAUL_API_KEY=lh_... python3 worker.py

Replace `transcribe` at the end with work of your own, or import this file and add to `HANDLERS`. A handler gets the
job, may `report` progress, and returns the output, any JSON value. Each runs in a thread of its own; and again from the
start where an attempt was lost, so what it does elsewhere should bear being done twice.

    LONGHAUL_URL      where Longhaul is                                     http://localhost:4000
    LONGHAUL_API_KEY  a key with the scope WORK, or WORK_ALL                required
    WORKER_ID         stands in the attempts                                machine/process
    TYPES             job types, separated by commas                        all that have a handler
    CONCURRENCY       jobs at once                                          2
"""

import http.client
import json
import logging
import os
import queue
import random
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime

log = logging.getLogger("worker")

WAIT_SECONDS = 5  # how long the server holds a claim when there is no work: a stop of an idle worker takes as long
GRACE_SECONDS = 5  # what handlers get to notice a stop


def mutation(name: str, payload: str) -> str:
    """Every mutation answers with its payload or a UserError, which has a code."""
    argument = name[0].upper() + name[1:] + "Input"
    selection = f"... on UserError {{ code message }} ... on {payload}"
    return f"mutation ($input: {argument}!) {{ {name}(input: $input) {{ {selection} }} }}"


CLAIM = mutation(
    "claimJobs", "ClaimJobsPayload { leases { token attempt expiresAt job { uuid type input updatedAt } } }"
)
REPORT = mutation("reportProgress", "ReportProgressPayload { expiresAt }")
COMPLETE = mutation("completeJob", "CompleteJobPayload { job { status } }")
FAIL = mutation("failJob", "FailJobPayload { job { status } }")
RELEASE = mutation("releaseJob", "ReleaseJobPayload { job { status } }")


class JobFailed(Exception):
    """For handlers to raise: ends the attempt. The code is for programs, the message for whoever submitted the job."""

    def __init__(self, code: str, message: str, retryable: bool = True):
        super().__init__(message)
        self.code, self.message, self.retryable = code, message, retryable


class JobStopped(BaseException):
    """Raised inside a handler whose job is to stop. No Exception, so that `except Exception` lets it through."""


class Unavailable(Exception):
    """No answer, or one that says: not now."""


class Refused(Exception):
    """An answer that would be the same the next time."""

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class LeaseLost(Refused):
    """Cancelled, expired, or somebody else's by now: nothing that is said about this attempt counts any more."""


class Api:
    def __init__(self, url: str, key: str):
        self._url = url.rstrip("/") + "/graphql"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, document: str, give_up=lambda: False, timeout: float = 15, **fields) -> dict:
        """Calls until there is an answer. Repeating is safe: an ending of which only the answer was lost is answered
        again, and jobs of a claim whose answer was lost are free again when their leases expire."""
        body = json.dumps({"query": document, "variables": {"input": fields}}, allow_nan=False).encode()
        longest = 0.25
        while True:
            try:
                return self._once(body, timeout)
            except Unavailable as reason:
                if give_up():
                    raise
                pause = longest * random.uniform(0.5, 1)  # so that not all workers come at once
                log.warning("%s; trying again in %.1f s", reason, pause)
            time.sleep(pause)
            longest = min(longest * 2, 5)

    def _once(self, body: bytes, timeout: float) -> dict:
        request = urllib.request.Request(self._url, body, self._headers)
        try:
            try:
                response = urllib.request.urlopen(request, timeout=timeout)
            except urllib.error.HTTPError as error:
                response = error  # an answer all the same: its body says what is wrong
            with response:
                status, text = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"no answer from {self._url} ({error})") from error
        try:
            answer = json.loads(text)
            errors, data = answer.get("errors"), answer.get("data")
            code, message = (errors[0]["extensions"]["code"], errors[0]["message"]) if errors else (None, "")
        except (ValueError, AttributeError, LookupError, TypeError):
            data, code, message = None, f"HTTP_{status}", f"{self._url} does not answer as Longhaul does."
        if status == 429 or status >= 500 or code in ("RATE_LIMITED", "UNAVAILABLE", "INTERNAL"):
            raise Unavailable(f"{self._url} answered {status}")
        if code or not data:
            raise Refused(code or f"HTTP_{status}", message)
        (payload,) = data.values()
        if "code" in payload:
            raise (LeaseLost if payload["code"] == "LEASE_LOST" else Refused)(payload["code"], payload["message"])
        return payload


class Job:
    """One attempt. A handler reads `input`, and calls `report`, `sleep` or `check` every now and then: they end it
    (JobStopped) when the job was cancelled, its lease is lost, or the worker stops."""

    def __init__(self, api: Api, lease: dict):
        self.uuid, self.type, self.input = (lease["job"][name] for name in ("uuid", "type", "input"))
        self.halted = threading.Event()
        self._api, self._token = api, lease["token"]
        self._reports: queue.SimpleQueue = queue.SimpleQueue()
        self._over = False
        # Both instants are the server's, so that this machine's clock does not matter. Three chances in each lease.
        lasts = instant(lease["expiresAt"]) - instant(lease["job"]["updatedAt"])
        self._renew_every = max(lasts.total_seconds() / 3, 0.1)

    def report(self, **progress) -> None:
        """Takes step, message and percentage (0 to 100); what is left out stays. Does not wait for the network."""
        self.check()
        self._reports.put(progress)

    def sleep(self, seconds: float) -> None:
        self.halted.wait(seconds)
        self.check()

    def check(self) -> None:
        if self.halted.is_set():
            raise JobStopped

    def carry_out(self, handler) -> None:
        heartbeat = threading.Thread(target=self._keep_lease, daemon=True)
        heartbeat.start()
        try:
            self.check()
            self._end("completed", COMPLETE, output=handler(self))
        except JobStopped:  # handed back: it does not count as an attempt, and the next worker may begin at once
            self._end("released", RELEASE)
        except JobFailed as error:
            self._fail(error.code, error.message, error.retryable)
        except Refused as error:  # too large an output, say: another attempt would fare no better
            self._fail("PROCESSING_ERROR", error.message, retryable=False)
        except Exception:  # a bug's own words stay in the log
            log.exception("the handler of %s failed", self.uuid)
            self._fail("PROCESSING_ERROR", "The job failed unexpectedly.", retryable=True)
        finally:
            self._over = True
            self._reports.put(None)

    def release_once(self) -> None:
        try:
            self._end("released", RELEASE, lambda: True)
        except Unavailable:
            log.warning("%s was not released; its lease will end by itself", self.uuid)

    def _fail(self, code: str, message: str, retryable: bool) -> None:
        self._end("failed", FAIL, code=code, message=message[:10_000] or code, retryable=retryable)

    def _end(self, word: str, document: str, give_up=lambda: False, **fields) -> None:
        try:
            self._api.call(document, give_up, token=self._token, **fields)
            log.info("%s %s", word, self.uuid)
        except LeaseLost:
            log.info("dropped %s: its lease is gone", self.uuid)

    def _keep_lease(self) -> None:
        """Sends what was reported, of several reports the newest, and a heartbeat where there was none for a while."""
        while not self._over:
            progress: dict = {}
            try:
                report = self._reports.get(timeout=self._renew_every)
                while report is not None:
                    progress.update(report)
                    report = self._reports.get_nowait()
                return  # the attempt is over
            except queue.Empty:
                pass
            try:
                self._api.call(REPORT, lambda: self._over, token=self._token, **progress)
            except LeaseLost:
                return self.halted.set()
            except Exception as error:  # a report that cannot be taken is no reason to lose the lease
                log.warning("a report about %s was not taken: %s", self.uuid, error)


class Worker:
    def __init__(self, api: Api, worker_id: str, handlers: dict, concurrency: int):
        self._api, self._worker_id, self._handlers = api, worker_id, handlers
        self._running: dict = {}
        self._stopping = False
        # One token for each job that may begin. No semaphore: a signal's handler may safely touch a SimpleQueue alone.
        self._room: queue.SimpleQueue = queue.SimpleQueue()
        for _ in range(concurrency):
            self._room.put(None)

    def stop(self, *_signal) -> None:
        self._stopping = True
        self._room.put(None)  # wakes the loop

    def run(self) -> None:
        """Claims and works until it is stopped; then hands back what still runs."""
        try:
            while not self._stopping:
                self._room.get()
                room = 1
                while not self._room.empty():
                    self._room.get()
                    room += 1
                leases = [] if self._stopping else self._claim(min(room, 100))
                for lease in leases:
                    self._begin(Job(self._api, lease))
                for _ in range(room - len(leases)):
                    self._room.put(None)
        finally:
            self._hand_back()

    def _claim(self, limit: int) -> list:
        wish = {"types": list(self._handlers), "workerId": self._worker_id, "limit": limit}
        try:
            # Not cut off by a stop: the answer may be on its way, with jobs that nobody would work on.
            answer = self._api.call(CLAIM, lambda: self._stopping, 15 + WAIT_SECONDS, waitSeconds=WAIT_SECONDS, **wish)
        except Unavailable:
            return []
        return answer["leases"]

    def _begin(self, job: Job) -> None:
        log.info("began %s (%s)", job.uuid, job.type)
        self._running[job] = threading.Thread(target=self._carry_out, args=(job,), daemon=True)
        self._running[job].start()

    def _carry_out(self, job: Job) -> None:
        try:
            job.carry_out(self._handlers[job.type])
        except Exception:
            log.exception("%s could not be ended; its lease will end by itself", job.uuid)
        finally:
            del self._running[job]
            self._room.put(None)

    def _hand_back(self) -> None:
        running = list(self._running.items())
        for job, _ in running:
            job.halted.set()
        deadline = time.monotonic() + GRACE_SECONDS
        for job, thread in running:
            thread.join(max(deadline - time.monotonic(), 0))
            if thread.is_alive():  # its handler does not look: whatever it says after this is refused
                job.release_once()


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # which knows no Z before Python 3.11


def transcribe(job: Job) -> dict:
    """Stands for real work: makes up a transcript, a sentence at a time."""
    language = job.input.get("language") or "en"
    if language not in ("de", "en"):
        raise JobFailed("UNSUPPORTED_LANGUAGE", f"{language} is not supported; de and en are.", retryable=False)
    sentences = []
    for number in range(1, 5):
        job.report(step="transcribing", message=f"Sentence {number} of 4", percentage=number * 20)
        job.sleep(0.25)
        sentences.append(f"Sentence {number}.")
    return {"source": job.input["sourceUrl"], "language": language, "text": " ".join(sentences)}


HANDLERS = {"transcribe": transcribe}


def main() -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s")
    key = os.environ.get("LONGHAUL_API_KEY") or sys.exit("Set LONGHAUL_API_KEY to a key with the scope WORK.")
    types = [name.strip() for name in os.environ.get("TYPES", "").split(",") if name.strip()] or list(HANDLERS)
    unknown = [name for name in types if name not in HANDLERS]
    if unknown:
        sys.exit(f"TYPES names {', '.join(unknown)}; there are handlers for {', '.join(HANDLERS)} alone.")
    worker = Worker(
        Api(os.environ.get("LONGHAUL_URL") or "http://localhost:4000", key),
        os.environ.get("WORKER_ID") or f"{socket.gethostname()}/{os.getpid()}",
        {name: HANDLERS[name] for name in types},
        int(os.environ.get("CONCURRENCY") or 2),
    )
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    log.info("working on %s", ", ".join(types))
    try:
        worker.run()
    except Refused as error:  # a wrong key, or a type that this Longhaul does not have
        sys.exit(f"Claiming was refused. {error}")
    log.info("stopped")


if __name__ == "__main__":
    main()
