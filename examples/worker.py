#!/usr/bin/env python3
"""A complete Longhaul worker that uses only Python's standard library (3.9 or later).

    LONGHAUL_API_KEY=lh_... python3 worker.py

Replace `transcribe` at the end with your own work, or import this file and add to `HANDLERS`. A handler gets the job,
may `report` progress, and returns the output, any JSON value. Each job runs in its own thread. After a lost attempt it
runs again from the start, so its side effects should be idempotent.

    LONGHAUL_URL      base URL of Longhaul                                  http://localhost:4000
    LONGHAUL_API_KEY  a key with the scope WORK, or WORK_ALL                required
    WORKER_ID         recorded in the attempts                              machine/process
    TYPES             job types, separated by commas                        all with a handler
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

log = logging.getLogger("worker")

WAIT_SECONDS = 5  # how long the server holds a claim if there is no work; stopping an idle worker may take as long
GRACE_SECONDS = 5  # how long handlers have to notice a stop


def mutation(name: str, payload: str) -> str:
    """Builds a mutation, which answers with its payload or with a UserError that has a code."""
    argument = name[0].upper() + name[1:] + "Input"
    selection = f"... on UserError {{ code message }} ... on {payload}"
    return f"mutation ($input: {argument}!) {{ {name}(input: $input) {{ {selection} }} }}"


CLAIM = mutation(
    "claimJobs", "ClaimJobsPayload { leases { token attempt seconds job { uuid type input } } }"
)
REPORT = mutation("reportProgress", "ReportProgressPayload { expiresAt }")
COMPLETE = mutation("completeJob", "CompleteJobPayload { job { status } }")
FAIL = mutation("failJob", "FailJobPayload { job { status } }")
RELEASE = mutation("releaseJob", "ReleaseJobPayload { job { status } }")


class JobFailed(Exception):
    """Handlers raise it to fail the attempt. The code is for programs, the message for the submitter of the job."""

    def __init__(self, code: str, message: str, retryable: bool = True):
        super().__init__(message)
        self.code, self.message, self.retryable = code, message, retryable


class JobStopped(BaseException):
    """Raised inside a handler that should stop. Not an Exception, so that `except Exception` does not catch it."""


class Unavailable(Exception):
    """There was no answer, or one that means: try again later."""


class Refused(Exception):
    """The answer is an error that a repetition would not change."""

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class LeaseLost(Refused):
    """The job was cancelled, or its lease expired. Calls for this attempt have no effect any more."""


class Api:
    def __init__(self, url: str, key: str):
        self._url = url.rstrip("/") + "/graphql"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, document: str, give_up=lambda: False, timeout: float = 15, **fields) -> dict:
        """Repeats the call until there is an answer. That is safe: if only the answer to an ending was lost, the next
        call gets the same answer, and if the answer to a claim was lost, its jobs are free when their leases expire."""
        body = json.dumps({"query": document, "variables": {"input": fields}}, allow_nan=False).encode()
        longest = 0.25
        while True:
            try:
                return self._once(body, timeout)
            except Unavailable as reason:
                if give_up():
                    raise
                pause = longest * random.uniform(0.5, 1)  # so that workers do not all retry at once
                log.warning("%s; trying again in %.1f s", reason, pause)
            time.sleep(pause)
            longest = min(longest * 2, 5)

    def _once(self, body: bytes, timeout: float) -> dict:
        request = urllib.request.Request(self._url, body, self._headers)
        try:
            try:
                response = urllib.request.urlopen(request, timeout=timeout)
            except urllib.error.HTTPError as error:
                response = error  # still an answer: its body says what is wrong
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
    """One attempt. The handler reads `input`, and regularly calls `report`, `sleep` or `check`. They raise JobStopped
    if the job was cancelled, its lease was lost, or the worker is stopping."""

    def __init__(self, api: Api, lease: dict):
        self.uuid, self.type, self.input = (lease["job"][name] for name in ("uuid", "type", "input"))
        self.halted = threading.Event()
        self._api, self._token = api, lease["token"]
        self._reports: queue.SimpleQueue = queue.SimpleQueue()
        self._over = False
        # By the lease's length alone: this machine's clock may differ from the server's.
        self._renew_every = lease["seconds"] / 3

    def report(self, **progress) -> None:
        """Takes step, message and percentage (0 to 100). Omitted fields stay. Does not wait for the network."""
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
        except JobStopped:  # hand the job back: it does not count as an attempt, and another worker can start at once
            self._end("released", RELEASE)
        except JobFailed as error:
            self._fail(error.code, error.message, error.retryable)
        except Refused as error:  # for example, the output is too large: another attempt would not help
            self._fail("PROCESSING_ERROR", error.message, retryable=False)
        except Exception:  # details of a bug stay in the log
            log.exception("the handler of %s failed", self.uuid)
            self._fail("PROCESSING_ERROR", "The job failed unexpectedly.", retryable=True)
        finally:
            self._over = True
            self._reports.put(None)

    def release_once(self) -> None:
        try:
            self._end("released", RELEASE, lambda: True)
        except Unavailable:
            log.warning("could not release %s; its lease will expire", self.uuid)

    def _fail(self, code: str, message: str, retryable: bool) -> None:
        self._end("failed", FAIL, code=code, message=message[:10_000] or code, retryable=retryable)

    def _end(self, word: str, document: str, give_up=lambda: False, **fields) -> None:
        try:
            self._api.call(document, give_up, token=self._token, **fields)
            log.info("%s %s", word, self.uuid)
        except LeaseLost:
            log.info("dropped %s: its lease is gone", self.uuid)

    def _keep_lease(self) -> None:
        """Sends reports, several of them merged into one, and a heartbeat if there has been none for a while."""
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
            except Exception as error:  # a report that is refused is no reason to lose the lease
                log.warning("could not report on %s: %s", self.uuid, error)


class Worker:
    def __init__(self, api: Api, worker_id: str, handlers: dict, concurrency: int):
        self._api, self._worker_id, self._handlers = api, worker_id, handlers
        self._running: dict = {}
        self._stopping = False
        # One token per free slot. Not a semaphore: only SimpleQueue is safe to use in a signal handler.
        self._room: queue.SimpleQueue = queue.SimpleQueue()
        for _ in range(concurrency):
            self._room.put(None)

    def stop(self, *_signal) -> None:
        self._stopping = True
        self._room.put(None)  # wakes the loop

    def run(self) -> None:
        """Claims and runs jobs until stopped, then hands back those that still run."""
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
            # A stop does not abort the call: its answer may be on the way, with jobs that nobody would work on.
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
            log.exception("could not end %s; its lease will expire", job.uuid)
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
            if thread.is_alive():  # the handler did not stop: its later calls will be refused
                job.release_once()


def transcribe(job: Job) -> dict:
    """Stands in for real work: makes up a transcript, one sentence at a time."""
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
        sys.exit(f"TYPES names {', '.join(unknown)}, but there are handlers only for {', '.join(HANDLERS)}.")
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
    except Refused as error:  # a wrong key, or a job type that this server does not have
        sys.exit(f"The claim was refused. {error}")
    log.info("stopped")


if __name__ == "__main__":
    main()
