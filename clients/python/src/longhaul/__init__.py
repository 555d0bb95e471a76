"""Submits jobs to Longhaul, watches them to their end, and works on them. README.md shows how."""

from .client import Client
from .context import Context, InputFile, Stopped
from .download import DownloadedFile
from .errors import (
    AlreadyFinishedError,
    ConnectionFailed,
    ForbiddenError,
    IdempotencyConflictError,
    InsufficientCreditsError,
    JobCancelled,
    JobFailed,
    LeaseLostError,
    LonghaulError,
    NotFoundError,
    NotRetryableError,
    QueueFullError,
    QuotaExceededError,
    RateLimitedError,
    TimedOut,
    TokenExpiredError,
    UnauthenticatedError,
    UnavailableError,
    ValidationError,
)
from .handle import JobHandle
from .job import Artifact, Job, LogLine, Progress
from .outcome import Fatal, Retryable
from .submission import Submission
from .upload import UploadedFile
from .worker import Worker

__all__ = [
    "AlreadyFinishedError",
    "Artifact",
    "Client",
    "ConnectionFailed",
    "Context",
    "DownloadedFile",
    "Fatal",
    "ForbiddenError",
    "IdempotencyConflictError",
    "InputFile",
    "InsufficientCreditsError",
    "Job",
    "JobCancelled",
    "JobFailed",
    "JobHandle",
    "LeaseLostError",
    "LogLine",
    "LonghaulError",
    "NotFoundError",
    "NotRetryableError",
    "Progress",
    "QueueFullError",
    "QuotaExceededError",
    "RateLimitedError",
    "Retryable",
    "Stopped",
    "Submission",
    "TimedOut",
    "TokenExpiredError",
    "UnauthenticatedError",
    "UnavailableError",
    "UploadedFile",
    "ValidationError",
    "Worker",
]
