"""What comes of an attempt that did not succeed."""

from __future__ import annotations

from typing import Any, Optional


class Retryable(Exception):
    """Raised by a handler: this attempt failed, and another may do better. `after`: seconds before it, 0 to 86,400; None leaves that to the
    server."""

    def __init__(self, message: str = "The handler asks for another attempt.", *, after: Optional[float] = None, code: str = "HANDLER_ERROR"):
        super().__init__(message)
        self.message, self.after, self.code = message, after, code


class Fatal(Exception):
    """Raised by a handler: the job has failed, whatever attempts are left. The code is for programs, the message for whoever submitted
    it."""

    def __init__(self, code: str, message: str = "The handler gave up."):
        super().__init__(message)
        self.code, self.message = code, message


def failure_of(error: BaseException) -> dict[str, Any]:
    """As it is told to the server. Of an error that the handler did not mean to tell, only the kind goes out: its words may be secret."""
    if isinstance(error, Fatal):
        return {"code": error.code, "message": error.message[:10_000] or error.code, "retryable": False}
    if isinstance(error, Retryable):
        told: dict[str, Any] = {"code": error.code, "message": error.message[:10_000] or error.code, "retryable": True}
        if error.after is not None:
            told["retryAfterSeconds"] = min(86_400, max(0, round(error.after)))
        return told
    return {"code": "HANDLER_ERROR", "message": f"The handler failed unexpectedly ({type(error).__name__}).", "retryable": True}
