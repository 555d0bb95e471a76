"""Submits jobs and watches them."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, BinaryIO, Callable, Iterable, Iterator, Mapping, Optional, Sequence, Union

from . import documents
from .download import DownloadedFile, RemoteReader, file_of, save
from .handle import JobHandle
from .http import Http
from .job import Job, Progress
from .limit import Limit
from .submission import Submission, request_of
from .upload import OnBytes, Source, UploadedFile, upload

MOST_IN_ONE = 1_000
"""So many jobs are created in one request, all or none."""


class Client:
    """One installation, seen with one key or access token. Safe to use from several threads; holds no connection when nothing is under
    way. Every call takes a `timeout` in seconds, and raises TimedOut when it is over; the job goes on."""

    def __init__(self, url: str, key: str):
        """`url`: of the installation, for example https://jobs.example.com."""
        self.http = Http(url, key)

    def submit(
        self,
        type: str,
        input: object = None,
        *,
        tags: Optional[Sequence[str]] = None,
        priority: Optional[int] = None,
        run_at: Union[datetime, str, None] = None,
        webhook_url: Optional[str] = None,
        client_reference: Optional[str] = None,
        concurrency_key: Optional[str] = None,
        concurrency_limit: Optional[int] = None,
        max_attempts: Optional[int] = None,
        idempotency_key: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> JobHandle:
        """Creates a job, and gives a handle at once. What it takes is what Submission has. Raises ValidationError,
        InsufficientCreditsError, QueueFullError and IdempotencyConflictError."""
        job = Submission(
            type,
            input,
            tags=tags,
            priority=priority,
            run_at=run_at,
            webhook_url=webhook_url,
            client_reference=client_reference,
            concurrency_key=concurrency_key,
            concurrency_limit=concurrency_limit,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
        )
        limit = Limit(timeout)
        values = request_of(job, lambda path: upload(self.http, path, limit))
        return self.handle(self.http.mutate(documents.CREATE_JOB, values, limit)["job"]["id"])

    def run(
        self,
        type: str,
        input: object = None,
        *,
        on_progress: Optional[Callable[[Progress], object]] = None,
        tags: Optional[Sequence[str]] = None,
        priority: Optional[int] = None,
        run_at: Union[datetime, str, None] = None,
        webhook_url: Optional[str] = None,
        client_reference: Optional[str] = None,
        concurrency_key: Optional[str] = None,
        concurrency_limit: Optional[int] = None,
        max_attempts: Optional[int] = None,
        idempotency_key: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> Any:
        """Submits, and waits for the output. Raises what `submit` raises, JobFailed and JobCancelled."""
        limit = Limit(timeout)
        handle = self.submit(
            type,
            input,
            tags=tags,
            priority=priority,
            run_at=run_at,
            webhook_url=webhook_url,
            client_reference=client_reference,
            concurrency_key=concurrency_key,
            concurrency_limit=concurrency_limit,
            max_attempts=max_attempts,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return handle.result(on_progress=on_progress, timeout=limit.left)

    def submit_many(self, jobs: Iterable[Submission], *, timeout: Optional[float] = None) -> list[JobHandle]:
        """Creates many: of each thousand all or none. The handles come in the order of the jobs. Raises what `submit` raises."""
        limit = Limit(timeout)
        requests = [request_of(job, lambda path: upload(self.http, path, limit)) for job in jobs]
        handles: list[JobHandle] = []
        for start in range(0, len(requests), MOST_IN_ONE):
            made = self.http.mutate(documents.CREATE_JOBS, {"jobs": requests[start : start + MOST_IN_ONE]}, limit)
            handles.extend(self.handle(job["id"]) for job in made["jobs"])
        return handles

    def handle(self, id: str) -> JobHandle:
        """Of any job, by any of its ids. Asks nothing of the server."""
        return JobHandle(self.http, id)

    def watch(
        self, job: Union[str, JobHandle], *, after_version: Optional[int] = None, timeout: Optional[float] = None
    ) -> Iterator[Job]:
        """As JobHandle.watch, of a job by any of its ids."""
        return self._handle(job).watch(after_version=after_version, timeout=timeout)

    def upload(
        self,
        source: Source,
        *,
        filename: Optional[str] = None,
        media_type: Optional[str] = None,
        on_progress: Optional[OnBytes] = None,
        timeout: Optional[float] = None,
    ) -> UploadedFile:
        """Sends a file: a path, bytes, or a file that is open. It goes on after a break. Raises ValidationError and QuotaExceededError."""
        return upload(self.http, source, Limit(timeout), filename=filename, media_type=media_type, on_progress=on_progress)

    def download(
        self,
        job: Union[str, JobHandle],
        to: Union[str, "os.PathLike[str]", BinaryIO],
        *,
        name: Optional[str] = None,
        on_progress: Optional[OnBytes] = None,
        timeout: Optional[float] = None,
    ) -> DownloadedFile:
        """Saves a result file at a path, in a folder under its own name, or into a file that is open. `name`: the artifact's; the main one
        where not given. It goes on after a break, and is checked. Raises NotFoundError."""
        limit = Limit(timeout)
        handle = self._handle(job)
        with RemoteReader(lambda: file_of(handle.job(timeout=limit.left), name), limit) as reader:
            return save(reader, to, on_progress)

    def query(
        self, document: str, variables: Optional[Mapping[str, Any]] = None, *, timeout: Optional[float] = None
    ) -> dict[str, Any]:
        """Any other query or mutation. Sent again where no answer came, so a mutation should carry an idempotency key."""
        return self.http.ask(document, variables or {}, Limit(timeout))

    def _handle(self, job: Union[str, JobHandle]) -> JobHandle:
        return self.handle(job) if isinstance(job, str) else job
