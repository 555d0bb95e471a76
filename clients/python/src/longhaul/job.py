"""What the server shows of a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

from .names import made_of

FINAL = ("COMPLETED", "FAILED", "CANCELLED")


@dataclass(frozen=True)
class Progress:
    step: Optional[str]
    """Machine name of the step."""
    message: Optional[str]
    """A sentence for a person."""
    percentage: Optional[float]
    """0 to 100, never back within an attempt; None while it cannot be told."""


@dataclass(frozen=True)
class Artifact:
    """A result file."""

    id: str
    name: str
    """What it is to the job; unique in it."""
    filename: str
    media_type: str
    bytes: int
    sha256: str
    """In hex."""
    url: str
    """Signed when the job was read; `Client.download` reads a fresh one."""
    expires_at: str


@dataclass(frozen=True)
class Job:
    """A job as of one version. Instants are RFC 3339 texts in UTC."""

    id: str
    """Global id, `job_…`."""
    uuid: str
    type: str
    status: str
    """PENDING, RUNNING, COMPLETED, FAILED or CANCELLED; the last three are final."""
    version: int
    """Grows with every visible change."""
    progress: Optional[Progress]
    output: Any
    """None until COMPLETED."""
    error: Optional[Mapping[str, str]]
    """`code` and `message` of a FAILED job."""
    tags: tuple[str, ...]
    priority: int
    max_attempts: int
    credits_charged: int
    credits_refunded: int
    cancel_reason: Optional[str]
    client_reference: Optional[str]
    artifacts: tuple[Artifact, ...]
    """Result files, the main one first; empty until COMPLETED."""
    download_url: Optional[str]
    run_at: Optional[str]
    next_attempt_at: Optional[str]
    created_at: str
    started_at: Optional[str]
    finished_at: Optional[str]
    updated_at: str

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


@dataclass(frozen=True)
class LogLine:
    sequence: int
    """From 1 along the job."""
    attempt: int
    at: str
    level: str
    message: str
    fields: Optional[Mapping[str, Any]]


def job_in(value: Mapping[str, Any]) -> Job:
    return made_of(
        Job,
        value,
        progress=None if value["progress"] is None else made_of(Progress, value["progress"]),
        tags=tuple(value["tags"]),
        # A number that may need 64 bits is a text in JSON.
        artifacts=tuple(made_of(Artifact, one, bytes=int(one["bytes"])) for one in value["artifacts"]),
    )
