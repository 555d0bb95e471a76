"""A job to watch and to act on."""

from __future__ import annotations

import uuid
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional

from . import documents
from .errors import AlreadyFinishedError, JobCancelled, JobFailed, NotFoundError, error_of
from .events import follow
from .http import Http
from .job import Job, LogLine, Progress, job_in
from .limit import Limit
from .names import made_of


class JobHandle:
    """Every call takes a `timeout` in seconds, and raises TimedOut when it is over; the job goes on."""

    def __init__(self, http: Http, id: str):
        self._http = http
        self.id = id
        """Any of its ids; after `submit` the global one."""

    def watch(self, *, after_version: Optional[int] = None, timeout: Optional[float] = None) -> Iterator[Job]:
        """The job now and after changes, in versions that only grow; ends after the one in which it is COMPLETED, FAILED or CANCELLED. Goes
        on by itself across breaks and restarts. A slow reader may be spared versions in between, never the last."""
        version = after_version

        def take(data: Mapping[str, Any]) -> Iterable[Job]:
            nonlocal version
            job = job_in(data["jobProgress"])
            if version is not None and job.version <= version:
                return
            version = job.version
            yield job

        return follow(
            self._http, documents.JOB_PROGRESS, lambda: {"id": self.id, "afterVersion": version}, take, Limit(timeout)
        )

    def result(self, *, on_progress: Optional[Callable[[Progress], object]] = None, timeout: Optional[float] = None) -> Any:
        """The output, when it has ended. Raises JobFailed and JobCancelled."""
        last: Optional[Job] = None
        for job in self.watch(timeout=timeout):
            last = job
            if job.progress is not None and on_progress is not None:
                on_progress(job.progress)
        if last is None:
            raise error_of("INTERNAL", "The server showed no version of the job.")
        if last.status == "FAILED":
            raise JobFailed(last)
        if last.status == "CANCELLED":
            raise JobCancelled(last)
        return last.output

    def logs(
        self, *, level: Optional[str] = None, after_sequence: Optional[int] = None, timeout: Optional[float] = None
    ) -> Iterator[LogLine]:
        """What its workers write down, each line once, in order; ends when the job has ended and the last line was sent. `level`: that one
        and all above it."""
        sequence = after_sequence

        def take(data: Mapping[str, Any]) -> Iterable[LogLine]:
            nonlocal sequence
            for value in data["jobLogs"]:
                line = made_of(LogLine, value)
                if sequence is None or line.sequence > sequence:
                    sequence = line.sequence
                    yield line

        return follow(
            self._http,
            documents.JOB_LOGS,
            lambda: {"id": self.id, "level": level, "afterSequence": sequence},
            take,
            Limit(timeout),
        )

    def job(self, *, timeout: Optional[float] = None) -> Job:
        """As it is now. Raises NotFoundError."""
        value = self._http.ask(documents.JOB, {"id": self.id}, Limit(timeout))["job"]
        if value is None:
            raise NotFoundError("NOT_FOUND", f"There is no job {self.id} for this key. Check the id.")
        return job_in(value)

    def cancel(self, reason: Optional[str] = None, *, timeout: Optional[float] = None) -> None:
        """At once, and for good. Raises AlreadyFinishedError and NotFoundError."""
        repeated = False

        def on_repeat() -> None:
            nonlocal repeated
            repeated = True

        try:
            self._http.mutate(documents.CANCEL_JOB, {"id": self.id, "reason": reason}, Limit(timeout), on_repeat)
        except AlreadyFinishedError as error:
            # The answer to the try before was lost, and this one tells what that did.
            if not repeated or (error.failure.get("job") or {}).get("status") != "CANCELLED":
                raise

    def retry(self, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None) -> JobHandle:
        """A new job with the same type and input. Raises NotRetryableError, InsufficientCreditsError, QueueFullError and NotFoundError."""
        values = {"id": self.id, "idempotencyKey": idempotency_key or new_key()}
        return JobHandle(self._http, self._http.mutate(documents.RETRY_JOB, values, Limit(timeout))["job"]["id"])


def new_key() -> str:
    """An idempotency key of its own for each call, so that a lost answer makes no second job."""
    return uuid.uuid4().hex
