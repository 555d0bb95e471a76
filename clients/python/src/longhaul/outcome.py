"""What comes of an attempt that did not succeed."""

from __future__ import annotations

import re
from typing import Any, Optional

CODE = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
MOST_CHARACTERS = 10_000


class Retryable(Exception):
    """Raised by a handler: this attempt failed, and another may do better. `after`: seconds before it, 0 to 86,400; None leaves that to the
    server."""

    def __init__(self, message: str = "The handler asks for another attempt.", *, after: Optional[float] = None, code: str = "HANDLER_ERROR"):
        super().__init__(message)
        self.message, self.after, self.code = message, None if after is None else float(after), code


class Fatal(Exception):
    """Raised by a handler: the job has failed, whatever attempts are left. The code is for programs, the message for whoever submitted
    it."""

    def __init__(self, code: str, message: str = "The handler gave up."):
        super().__init__(message)
        self.code, self.message = code, message


def failure_of(error: BaseException) -> dict[str, Any]:
    """As it is told to the server. Of an error that the handler did not mean to tell, only the kind goes out: its words may be secret. What
    the server would refuse is made fit: an attempt whose end is not told goes on until its lease expires."""
    if not isinstance(error, (Fatal, Retryable)):
        return {"code": "HANDLER_ERROR", "message": f"The handler failed unexpectedly ({type(error).__name__}).", "retryable": True}
    code = error.code if isinstance(error.code, str) and CODE.fullmatch(error.code) else "HANDLER_ERROR"
    told: dict[str, Any] = {
        "code": code,
        "message": plain(error.message)[:MOST_CHARACTERS] or code,
        "retryable": isinstance(error, Retryable),
    }
    if isinstance(error, Retryable) and error.after is not None:
        told["retryAfterSeconds"] = round(min(86_400.0, max(0.0, error.after)))
    return told


def plain(text: object) -> str:
    """Text that the server takes: without NUL, and without halves of surrogate pairs."""
    return str(text).encode("utf-8", "replace").decode().replace("\0", "")
