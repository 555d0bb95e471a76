"""One attempt at a job: what its handler is given, and what is told about it."""

import logging
import os
import queue
import threading
import time

from .calls import COMPLETE, CREATE_UPLOAD, FAIL, RELEASE, REPORT, Api, LeaseLost, Refused, Unavailable
from .upload import send

log = logging.getLogger("worker")


class JobFailed(Exception):
    """Handlers raise it to fail the attempt. The code is for programs, the message for the submitter of the job."""

    def __init__(self, code: str, message: str, retryable: bool = True):
        super().__init__(message)
        self.code, self.message, self.retryable = code, message, retryable


class JobStopped(BaseException):
    """Raised inside a handler that should stop. Not an Exception, so that `except Exception` does not catch it."""


class Job:
    """One attempt. The handler reads `input` and `checkpoint`, and regularly calls `report`, `sleep` or `check`. They
    raise JobStopped if the job was cancelled, its lease was lost, or the worker is stopping."""

    def __init__(self, api: Api, lease: dict):
        self.uuid, self.type, self.input = (lease["job"][name] for name in ("uuid", "type", "input"))
        self.checkpoint = lease["checkpoint"]  # the last one of an earlier attempt, or None
        self.files = {file["reference"]: file for file in lease["files"]}  # what `upload:ID` in the input stands for
        self.token = lease["token"]
        self._artifacts: list = []
        self._halted = threading.Event()
        self._lost = False
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
        try:
            made = self._api.call(CREATE_UPLOAD, self._halted.is_set, token=self.token, **facts)
            send(made["uploadUrl"], path, self.check)
        except LeaseLost:
            self.halt(lost=True)
        except Unavailable:  # given up, as it was halted
            pass
        self.check()
        self._artifacts.append({"uploadId": made["upload"]["id"], "name": name})

    def sleep(self, seconds: float) -> None:
        self._halted.wait(seconds)
        self.check()

    def check(self) -> None:
        if self._halted.is_set():
            raise JobStopped

    def halt(self, lost: bool) -> None:
        """Tells the handler to stop. `lost`: nothing more is to be said about the job, which is another's or nobody's."""
        self._lost = self._lost or lost
        self._halted.set()

    def carry_out(self, handler) -> None:
        """Runs the handler, and tells what came of it."""
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

    def release_once(self) -> None:
        try:
            self._end("released", RELEASE, lambda: True)
        except Unavailable:
            log.warning("could not release %s; its lease will expire", self.uuid)

    def _fail(self, code: str, message: str, retryable: bool) -> None:
        self._end("failed", FAIL, code=code, message=message[:10_000] or code, retryable=retryable)

    def _end(self, word: str, document: str, give_up=lambda: False, **fields) -> None:
        try:
            if not self._lost:
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
        """Sends reports, several of them merged into one, and a heartbeat if none was taken for a while."""
        due = time.monotonic() + self._renew_every
        while not self._over and not self._lost:
            progress: dict = {}
            flushed: list = []
            try:
                report = self._reports.get(timeout=max(0.0, due - time.monotonic()))
                while report is not None:
                    if isinstance(report, threading.Event):
                        flushed.append(report)
                    else:
                        progress.update(report)
                    report = self._reports.get_nowait()
                return  # the attempt is over
            except queue.Empty:
                pass
            began = time.monotonic()
            if (progress and self._send(progress)) or (began >= due and self._send({})):
                due = began + self._renew_every
            for event in flushed:
                event.set()

    def _send(self, progress: dict) -> bool:
        """Returns whether it was taken, which renews the lease."""
        try:
            self._api.call(REPORT, lambda: self._over, token=self.token, **progress)
            return True
        except LeaseLost:
            self.halt(lost=True)
        except Exception as error:  # a report that is refused is no reason to lose the lease
            log.warning("could not report on %s: %s", self.uuid, error)
        return False
