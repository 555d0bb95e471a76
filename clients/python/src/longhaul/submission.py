"""What a job is created with."""

from __future__ import annotations

import dataclasses
import pathlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Callable, Mapping, Optional, Sequence, Union

from .handle import new_key
from .upload import UploadedFile


@dataclass(frozen=True)
class Submission:
    """A job to be made."""

    type: str
    input: object = None
    """A dict or a dataclass. A pathlib.Path in it is uploaded, and so becomes a source."""
    tags: Optional[Sequence[str]] = None
    priority: Optional[int] = None
    run_at: Union[datetime, str, None] = None
    """Not before. A datetime has to have a time zone."""
    webhook_url: Optional[str] = None
    client_reference: Optional[str] = None
    """The submitter's own name for the job; not unique."""
    concurrency_key: Optional[str] = None
    """Of the jobs with this key at most `concurrency_limit` run at once."""
    concurrency_limit: Optional[int] = None
    max_attempts: Optional[int] = None
    idempotency_key: Optional[str] = None
    """Made where not given, so that a lost answer makes no second job. Give one to make none across restarts of your own."""


def request_of(job: Submission, send: Callable[[pathlib.Path], UploadedFile]) -> dict[str, Any]:
    """As the server takes it. `send` uploads a file."""
    run_at = job.run_at
    if isinstance(run_at, datetime):
        if run_at.tzinfo is None:
            raise ValueError("run_at has no time zone. Give one, for example datetime.now(timezone.utc).")
        run_at = run_at.isoformat()
    values: Mapping[str, Any] = {
        "type": job.type,
        "input": None if job.input is None else plain(job.input, send),
        "tags": None if job.tags is None else list(job.tags),
        "priority": job.priority,
        "runAt": run_at,
        "webhookUrl": job.webhook_url,
        "clientReference": job.client_reference,
        "concurrencyKey": job.concurrency_key,
        "concurrencyLimit": job.concurrency_limit,
        "maxAttempts": job.max_attempts,
        "idempotencyKey": job.idempotency_key or new_key(),
    }
    return {name: value for name, value in values.items() if value is not None}


def plain(value: object, send: Callable[[pathlib.Path], UploadedFile]) -> object:
    """As JSON has it. Names stay as they are, also those of a dataclass's fields."""
    if isinstance(value, UploadedFile):
        return value.reference
    if isinstance(value, pathlib.Path):
        return send(value).reference
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name), send) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(one, send) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, send) for one in value]
    return value
