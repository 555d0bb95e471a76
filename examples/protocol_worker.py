#!/usr/bin/env python3
"""A complete Longhaul worker that uses only Python's standard library (3.9 or later).

    LONGHAUL_API_KEY=lh_... python3 protocol_worker.py

Replace `transcribe` at the end with your own work, or import this file and add to `HANDLERS`. A handler gets the job, may `report`
progress and `attach` files, and returns the output, any JSON value. Each job runs in its own thread. After a lost attempt it runs
again, from the last checkpoint that it reported or from the start, so its side effects should be idempotent.

    LONGHAUL_URL      base URL of Longhaul                                  http://localhost:4000
    LONGHAUL_API_KEY  a key with the scope WORK, or WORK_ALL                required
    WORKER_ID         recorded in the attempts                              machine/process
    TYPES             job types, separated by commas                        all with a handler
    CONCURRENCY       jobs at once                                          2
    SUBTITLES         1: `transcribe` also makes a file, which is attached  no
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
import tempfile
import threading
import time
import urllib.error
import urllib.request

log = logging.getLogger("worker")

WAIT_SECONDS = 5  # how long the server holds a claim if there is no work; stopping an idle worker may take as long
GRACE_SECONDS = 5  # how long handlers have to notice a stop


def mutation(name: str, payload: str) -> str:
    """Builds a mutation, which answers with its payload or with a UserError that has a code."""
    kind = name[0].upper() + name[1:]
    selection = f"... on UserError {{ code message }} ... on {kind}Payload {{ {payload} }}"
    return f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ {selection} }} }}"


CLAIM = mutation(
    "claimJobs", "leases { token seconds checkpoint job { uuid type input } files { reference url filename mediaType bytes sha256 } }"
)
REPORT = mutation("reportProgress", "expiresAt")
CREATE_UPLOAD = mutation("createUpload", "uploadUrl upload { id }")
COMPLETE = mutation("completeJob", "job { status }")
FAIL = mutation("failJob", "job { status }")
RELEASE = mutation("releaseJob", "job { status }")
LISTEN = "subscription ($workerId: String!) { leaseLost(workerId: $workerId) { token reason } }"


class JobFailed(Exception):
    """Handlers raise it to fail the attempt. The code is for programs, the message for the submitter of the job."""

    def __init__(self, code: str, message: str, retryable: bool = True):
        super().__init__(message)
        self.code, self.message, self.retryable = code, message, retryable


class JobStopped(BaseException):
    """Raised inside a handler that should stop. Not an Exception, so that `except Exception` does not catch it."""


class Unavailable(Exception):
    """There was no answer, or one that means: try again later, but not before so many seconds."""

    def __init__(self, message: str, after: float = 0):
        super().__init__(message)
        self.after = after


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
                pause = max(longest * random.uniform(0.5, 1), reason.after)  # so that workers do not all retry at once
                log.warning("%s; trying again in %.1f s", reason, pause)
            ends = time.monotonic() + pause
            while (left := ends - time.monotonic()) > 0:
                if give_up():
                    raise Unavailable("stopped before trying again")
                time.sleep(min(left, 0.1))
            longest = min(longest * 2, 5)

    def send(self, url: str, path: str, check) -> None:
        """Sends a file by tus 1.0: after a cut it asks how much of it is there, and goes on from that."""
        size, offset, pause = os.path.getsize(path), 0, 0.25
        while True:
            try:
                if offset is None:
                    offset = self._tus("HEAD", url)
                    log.info("going on with %s after %d of %d bytes", os.path.basename(path), offset, size)
                with open(path, "rb") as file:
                    file.seek(offset)
                    headers = {"Upload-Offset": str(offset), "Content-Length": str(size - offset)}
                    if self._tus("PATCH", url, parts_of(file, check), headers) == size:
                        return
            except Unavailable as reason:
                log.warning("%s; trying again in %.1f s", reason, pause)
                time.sleep(pause)
                pause = min(pause * 2, 5)
            check()
            offset = None

    def _tus(self, method: str, url: str, body=None, headers=()) -> int:
        """Returns how much of the file is there."""
        common = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
        request = urllib.request.Request(url, body, {**common, **dict(headers)}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return int(response.headers["Upload-Offset"])
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (408, 409, 423, 429) or error.code >= 500:  # from another offset, or later
                    raise Unavailable(f"the upload was answered with {error.code}") from error
                raise Refused(f"HTTP_{error.code}", f"The file was refused: {error.read(500).decode(errors='replace')}") from error
        except (OSError, http.client.HTTPException, TypeError, ValueError) as error:
            raise Unavailable(f"the upload broke off ({error})") from error

    def listen(self, document: str, **variables):
        """Yields what a subscription brings, over server-sent events, until the stream breaks (OSError) or ends."""
        body = json.dumps({"query": document, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {**self._headers, "Accept": "text/event-stream"})
        with urllib.request.urlopen(request, timeout=30) as stream:  # there is a comment every 12 seconds
            for line in stream:
                if line.startswith(b"data: {"):
                    yield json.loads(line[len(b"data: ") :])

    def _once(self, body: bytes, timeout: float) -> dict:
        request = urllib.request.Request(self._url, body, self._headers)
        try:
            try:
                response = urllib.request.urlopen(request, timeout=timeout)
            except urllib.error.HTTPError as error:
                response = error  # still an answer: its body says what is wrong
            with response:
                status, text, after = response.status, response.read(), response.headers.get("Retry-After") or ""
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"no answer from {self._url} ({error})") from error
        try:
            answer = json.loads(text)
            errors, data = answer.get("errors"), answer.get("data")
            code, message = (errors[0]["extensions"]["code"], errors[0]["message"]) if errors else (None, "")
        except (ValueError, AttributeError, LookupError, TypeError):
            data, code, message = None, f"HTTP_{status}", f"{self._url} does not answer as Longhaul does."
        if status == 429 or status >= 500 or code in ("RATE_LIMITED", "UNAVAILABLE", "INSUFFICIENT_STORAGE", "INTERNAL"):
            raise Unavailable(f"{self._url} answered {status}", float(after) if after.isdigit() else 0)
        if code or not data:
            raise Refused(code or f"HTTP_{status}", message)
        (payload,) = data.values()
        if "code" in payload:
            raise (LeaseLost if payload["code"] == "LEASE_LOST" else Refused)(payload["code"], payload["message"])
        return payload


def parts_of(file, check):
    """Reads a file, only while the job goes on."""
    while part := file.read(65_536):
        check()
        yield part


class Job:
    """One attempt. The handler reads `input` and `checkpoint`, and regularly calls `report`, `sleep` or `check`. They
    raise JobStopped if the job was cancelled, its lease was lost, or the worker is stopping."""

    def __init__(self, api: Api, lease: dict):
        self.uuid, self.type, self.input = (lease["job"][name] for name in ("uuid", "type", "input"))
        self.checkpoint = lease["checkpoint"]  # the last one of an earlier attempt, or None
        self.files = {file["reference"]: file for file in lease["files"]}  # what `upload:ID` in the input stands for
        self.token = lease["token"]
        self._artifacts: list = []
        self.halted = threading.Event()
        self.lost = False
        self._api = api
        self._reports: queue.SimpleQueue = queue.SimpleQueue()
        self._over = False
        self._renew_every = lease["seconds"] / 3  # by its length alone: this machine's clock may differ from the server's

    def report(self, **progress) -> None:
        """Takes step, message, percentage (0 to 100), and checkpoint: what the next attempt needs to go on from here, any
        JSON value that you do not change afterwards. Omitted fields stay. Does not wait for the network."""
        self.check()
        self._reports.put(progress)

    def attach(self, path: str, name: str = "file", media_type: str = "application/octet-stream") -> None:
        """Uploads a file: one of the job's when the handler has returned, under this name, unique in it; the first is the main one."""
        facts = {"filename": os.path.basename(path), "mediaType": media_type, "bytes": os.path.getsize(path)}
        made = self._api.call(CREATE_UPLOAD, self.halted.is_set, token=self.token, **facts)
        self._api.send(made["uploadUrl"], path, self.check)
        self._artifacts.append({"uploadId": made["upload"]["id"], "name": name})

    def sleep(self, seconds: float) -> None:
        self.halted.wait(seconds)
        self.check()

    def check(self) -> None:
        if self.halted.is_set():
            raise JobStopped

    def carry_out(self, handler) -> None:
        self._keeper = threading.Thread(target=self._keep_lease, daemon=True)
        self._keeper.start()
        try:
            self.check()
            output = handler(self)
            self._flush()
            self._end("completed", COMPLETE, output=output, artifacts=self._artifacts)
        except JobStopped:  # hand the job back: it does not count as an attempt, and another worker can start at once
            self._end("released", RELEASE)
        except JobFailed as error:
            self._flush()  # the checkpoint is for the next attempt
            self._fail(error.code, error.message, error.retryable)
        except Refused as error:  # for example, the output is too large: another attempt would not help
            self._fail("PROCESSING_ERROR", error.message, retryable=False)
        except Exception:  # details of a bug stay in the log
            log.exception("the handler of %s failed", self.uuid)
            self._fail("PROCESSING_ERROR", "The job failed unexpectedly.", retryable=True)
        finally:
            self._over = True
            self._reports.put(None)

    def halt(self, lost: bool) -> None:
        """Tells the handler to stop. `lost`: nothing more is to be said about the job, which is another's or nobody's."""
        self.lost = self.lost or lost
        self.halted.set()

    def release_once(self) -> None:
        try:
            self._end("released", RELEASE, lambda: True)
        except Unavailable:
            log.warning("could not release %s; its lease will expire", self.uuid)

    def _fail(self, code: str, message: str, retryable: bool) -> None:
        self._end("failed", FAIL, code=code, message=message[:10_000] or code, retryable=retryable)

    def _end(self, word: str, document: str, give_up=lambda: False, **fields) -> None:
        try:
            if not self.lost:
                self._api.call(document, give_up, token=self.token, **fields)
                return log.info("%s %s", word, self.uuid)
        except LeaseLost:
            pass
        log.info("dropped %s: its lease is gone", self.uuid)

    def _flush(self) -> None:
        """Waits until all reports have arrived, or nobody takes them any more."""
        sent = threading.Event()
        self._reports.put(sent)
        while not sent.wait(0.1) and self._keeper.is_alive():
            pass

    def _keep_lease(self) -> None:
        """Sends reports, several of them merged into one, and a heartbeat if there has been none for a while."""
        while not self._over:
            progress: dict = {}
            flushed: list = []
            try:
                report = self._reports.get(timeout=self._renew_every)
                while report is not None:
                    if isinstance(report, threading.Event):
                        flushed.append(report)
                    else:
                        progress.update(report)
                    report = self._reports.get_nowait()
                return  # the attempt is over
            except queue.Empty:
                pass
            try:
                if progress or not flushed:
                    self._api.call(REPORT, lambda: self._over, token=self.token, **progress)
            except LeaseLost:
                return self.halt(lost=True)
            except Exception as error:  # a report that is refused is no reason to lose the lease
                log.warning("could not report on %s: %s", self.uuid, error)
            for event in flushed:
                event.set()


class Worker:
    def __init__(self, api: Api, worker_id: str, handlers: dict, concurrency: int):
        self._api, self._worker_id, self._handlers, self._concurrency = api, worker_id, handlers, concurrency
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
        deadline = time.monotonic() + GRACE_SECONDS
        for job, thread in running:
            thread.join(max(deadline - time.monotonic(), 0))
            if thread.is_alive():  # the handler did not stop: its later calls will be refused
                job.release_once()


def transcribe(job: Job) -> dict:
    """Stands in for real work: makes up a transcript, one sentence at a time. After a crash it goes on where it was."""
    language = job.input.get("language") or "en"
    if language not in ("de", "en"):
        raise JobFailed("UNSUPPORTED_LANGUAGE", f"{language} is not supported; de and en are.", retryable=False)
    sentences = job.checkpoint or []
    for number in range(len(sentences) + 1, 5):
        job.report(step="transcribing", message=f"Sentence {number} of 4", percentage=number * 20)
        job.sleep(0.25)
        sentences = [*sentences, f"Sentence {number}."]
        job.report(checkpoint=sentences)
    if os.environ.get("SUBTITLES") == "1":
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, f"subtitles.{language}.vtt")
            cues = (f"\n00:00:0{n}.000 --> 00:00:0{n + 1}.000\n{sentence}\n" for n, sentence in enumerate(sentences))
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(["WEBVTT\n", *cues])
            job.attach(path, "subtitles", "text/vtt")
    return {"source": job.input["sourceUrl"], "language": language, "text": " ".join(sentences)}


HANDLERS = {"transcribe": transcribe}


def main() -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s")
    key = os.environ.get("LONGHAUL_API_KEY") or sys.exit("Set LONGHAUL_API_KEY to a key with the scope WORK.")
    types = [name.strip() for name in os.environ.get("TYPES", "").split(",") if name.strip()] or list(HANDLERS)
    if unknown := [name for name in types if name not in HANDLERS]:
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
