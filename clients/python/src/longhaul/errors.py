"""Every failure that this package raises, by its code. The codes are those of the server's README, and CONNECTION, TIMED_OUT,
NOT_LONGHAUL and CHECKSUM_MISMATCH of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional

if TYPE_CHECKING:
    from .job import Job

_LATER = {"UNAVAILABLE", "RATE_LIMITED", "QUEUE_FULL", "INSUFFICIENT_STORAGE", "QUOTA_EXCEEDED", "CONNECTION"}


class LonghaulError(Exception):
    """`code` is for programs; `retryable` says whether the same call may succeed later as it is; `issues` what is wrong with which part
    of the input, each with `path` and `message`; `retry_after` how many seconds the server asked to wait; `failure` holds whatever else it
    told, such as `limit`."""

    def __init__(self, code: str, message: str, failure: Optional[Mapping[str, Any]] = None, retry_after: Optional[float] = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.failure: Mapping[str, Any] = failure or {}
        self.retry_after = retry_after
        self.retryable = code in _LATER

    @property
    def issues(self) -> list[dict[str, Any]]:
        return list(self.failure.get("issues") or [])

    def __str__(self) -> str:
        faults = [f"{'.'.join(map(str, issue['path']))}: {issue['message']}" for issue in self.issues]
        # The server's message has them mostly.
        return "; ".join([f"{self.code}: {self.message}", *(fault for fault in faults if fault not in self.message)])


class ValidationError(LonghaulError):
    """The input is not what the type takes: `issues` says where."""


class NotFoundError(LonghaulError):
    """There is no such job or file, or none that the key may see."""


class InsufficientCreditsError(LonghaulError):
    """The workspace has too few credits: `failure` has `required` and `available`."""


class QueueFullError(LonghaulError):
    """Too many jobs wait. Later it may be taken."""


class QuotaExceededError(LonghaulError):
    """The workspace's uploads would take more room than they may."""


class RateLimitedError(LonghaulError):
    """Too many requests: `retry_after` says how long to wait."""


class IdempotencyConflictError(LonghaulError):
    """The idempotency key stands for another request already."""


class AlreadyFinishedError(LonghaulError):
    """The job has ended: `failure["job"]` says how."""


class NotRetryableError(LonghaulError):
    """Only jobs that failed or were cancelled are retried."""


class LeaseLostError(LonghaulError):
    """The attempt is over for this worker."""


class UnauthenticatedError(LonghaulError):
    """No key, a wrong one, or one that was revoked: asking again changes nothing."""


class TokenExpiredError(LonghaulError):
    """The access token's time is over: make another."""


class ForbiddenError(LonghaulError):
    """The key or token lacks the right."""


class UnavailableError(LonghaulError):
    """The server, or what it needs, is not there now."""


class ConnectionFailed(LonghaulError):
    """No answer came, or the connection broke."""

    def __init__(self, message: str, retry_after: Optional[float] = None):
        super().__init__("CONNECTION", message, retry_after=retry_after)


class TimedOut(LonghaulError):
    """The caller's `timeout` is over. The job goes on."""

    def __init__(self, seconds: float):
        super().__init__("TIMED_OUT", f"This took longer than its timeout of {seconds:g} seconds.")


class JobFailed(LonghaulError):
    """The job ended as FAILED: the code is its error's."""

    def __init__(self, job: Job):
        error = job.error or {"code": "FAILED", "message": "The job failed."}
        super().__init__(error["code"], error["message"])
        self.job = job
        self.retryable = False


class JobCancelled(LonghaulError):
    """The job ended as CANCELLED."""

    def __init__(self, job: Job):
        super().__init__("CANCELLED", f"The job was cancelled: {job.cancel_reason}" if job.cancel_reason else "The job was cancelled.")
        self.job = job


_CLASSES: dict[str, type[LonghaulError]] = {
    "VALIDATION_ERROR": ValidationError,
    "NOT_FOUND": NotFoundError,
    "INSUFFICIENT_CREDITS": InsufficientCreditsError,
    "QUEUE_FULL": QueueFullError,
    "QUOTA_EXCEEDED": QuotaExceededError,
    "RATE_LIMITED": RateLimitedError,
    "IDEMPOTENCY_CONFLICT": IdempotencyConflictError,
    "ALREADY_FINISHED": AlreadyFinishedError,
    "NOT_RETRYABLE": NotRetryableError,
    "LEASE_LOST": LeaseLostError,
    "UNAUTHENTICATED": UnauthenticatedError,
    "TOKEN_EXPIRED": TokenExpiredError,
    "FORBIDDEN": ForbiddenError,
    "UNAVAILABLE": UnavailableError,
}


def error_of(code: str, message: str, failure: Optional[Mapping[str, Any]] = None, retry_after: Optional[float] = None) -> LonghaulError:
    return _CLASSES.get(code, LonghaulError)(code, message, failure, retry_after)


def is_passing(error: LonghaulError) -> bool:
    """Whether the package tries it again by itself, without changing what is asked."""
    return error.code in ("CONNECTION", "UNAVAILABLE", "RATE_LIMITED")


def is_worth_waiting(error: LonghaulError) -> bool:
    """Whether a worker tries it again for as long as its lease lasts: also until there is room for files, and past a bug that one process of
    the server may have and the next may not."""
    return is_passing(error) or error.code in ("INSUFFICIENT_STORAGE", "INTERNAL")
