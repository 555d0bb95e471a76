"""What a handler is given: `ctx`."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from io import BufferedReader
from typing import Any, Callable, Mapping, Optional

from .download import RemoteFile, RemoteReader
from .errors import LeaseLostError, NotFoundError
from .http import Http
from .limit import Ended, Limit
from .names import made_of
from .outcome import plain
from .reports import Reports
from .upload import Source, upload

MOST_CHECKPOINT = 65_536
"""Bytes of a checkpoint, as JSON."""


class Stopped(BaseException):
    """Raised inside a handler that should stop: by what is called on `ctx`. Not an Exception, so that `except Exception` lets it through;
    `finally` and `with` clean up. Let it leave the handler."""


@dataclass(frozen=True)
class InputFile:
    """A file that the input names."""

    reference: str
    """As it stands in the input, `upload:…`."""
    filename: str
    media_type: str
    bytes: int
    sha256: str


class Log:
    """Lines of the job's log, for whoever sees the job. `fields`: what belongs to a line, for programs. Returns at once."""

    def __init__(self, reports: Reports):
        self._reports = reports

    def debug(self, message: str, **fields: Any) -> None:
        self._line("DEBUG", message, fields)

    def info(self, message: str, **fields: Any) -> None:
        self._line("INFO", message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        self._line("WARN", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        self._line("ERROR", message, fields)

    def _line(self, level: str, message: str, fields: dict[str, Any]) -> None:
        line: dict[str, Any] = {"level": level, "message": plain(message), "at": datetime.now(timezone.utc).isoformat()}
        if fields:
            line["fields"] = {name: _shown(value) for name, value in fields.items()}
        self._reports.line(line)


class Checkpoint:
    """What another attempt needs to go on from here."""

    def __init__(self, last: Any, context: Context, reports: Reports):
        self.last = last
        """What the last attempt saved; None where none did. After `save`, that."""
        self._context, self._reports = context, reports

    def save(self, value: Any) -> None:
        """Any JSON of at most 65,536 bytes. Returns at once, sent like progress. Raises Stopped, and ValueError or TypeError where it is
        none, or too large."""
        text = json.dumps(value, allow_nan=False)
        if len(text.encode()) > MOST_CHECKPOINT:
            raise ValueError(f"A checkpoint has at most {MOST_CHECKPOINT:,} bytes as JSON. Save where the rest is to be found.")
        self._context.check()
        # A copy: the handler may go on changing its own.
        self.last = json.loads(text)
        self._reports.report({"checkpoint": self.last})


class Context:
    """One attempt at a job. `progress`, `save`, `open`, `sleep`, `check` and `checkpoint.save` raise Stopped when the attempt is over: the
    job was cancelled, its lease is lost, its time is over, or the worker stops."""

    def __init__(self, http: Http, lease: Mapping[str, Any], reports: Reports, on_lost: Callable[[], None]):
        """`on_lost`: told when the server says that the lease is over."""
        job = lease["job"]
        self.job_id: str = job["id"]
        self.type: str = job["type"]
        self.attempt: int = lease["attempt"]
        """1 for the first."""
        self.checkpoint = Checkpoint(lease["checkpoint"], self, reports)
        self.log = Log(reports)
        self.files: tuple[InputFile, ...] = tuple(made_of(InputFile, one, bytes=int(one["bytes"])) for one in lease["files"])
        self.stop_reason: Optional[str] = None
        """Why it is to stop: CANCELLED, LEASE_LOST, TIMEOUT or DRAIN."""
        self._http, self._token, self._reports, self._on_lost = http, lease["token"], reports, on_lost
        self._urls: dict[str, str] = {one["reference"]: one["url"] for one in lease["files"]}
        self._artifacts: list[dict[str, str]] = []
        # Of the handler's work. What is told to the server has another: a drained attempt is still to be handed back.
        self._limit = Limit()
        self._stopped = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the handler is to stop: for loops that call nothing else here."""
        return self._stopped.is_set()

    @property
    def artifacts(self) -> list[dict[str, str]]:
        """What was saved, as completeJob takes it."""
        return list(self._artifacts)

    def check(self) -> None:
        """Raises Stopped when the attempt is over."""
        if self.cancelled:
            raise Stopped

    def sleep(self, seconds: float) -> None:
        """Sleeps, unless the attempt ends."""
        self._stopped.wait(seconds)
        self.check()

    def progress(self, percentage: Optional[float] = None, message: Optional[str] = None, *, step: Optional[str] = None) -> None:
        """How far it is, 0 to 100. What is not given stays as it was. Returns at once: the newest is sent when the one before has
        arrived."""
        self.check()
        values: dict[str, Any] = {}
        if percentage is not None:
            if not math.isfinite(percentage):
                raise ValueError(f"{percentage} is no percentage. Give a number from 0 to 100, or None.")
            values["percentage"] = min(100.0, max(0.0, float(percentage)))
        if message is not None:
            values["message"] = plain(message)[:2_000]
        if step is not None:
            values["step"] = plain(step)[:200]
        self._reports.report(values)

    def save(self, name: str, source: Source, *, filename: Optional[str] = None, media_type: Optional[str] = None) -> None:
        """Sends a result file: a path, bytes, or a file that is open. It becomes the job's when the handler has returned; the first is the
        main one. `name`: what it is to the job, unique in it, for example `video`."""
        self.check()
        try:
            sent = upload(
                self._http,
                source,
                self._limit,
                filename=filename or (name if isinstance(source, bytes) else None),
                media_type=media_type,
                token=self._token,
            )
        except Ended:
            raise Stopped from None
        except LeaseLostError:
            self._on_lost()
            raise Stopped from None
        self._artifacts.append({"uploadId": sent.id, "name": name})

    def open(self, reference: str) -> BufferedReader:
        """A file that the input names, by its reference, to be read from its start. It goes on after a break, and is checked at its end."""
        self.check()
        about = next((one for one in self.files if one.reference == reference), None)
        if about is None:
            raise NotFoundError("NOT_FOUND", f"The input names no file {reference}. Those that it names are in ctx.files.")
        file = RemoteFile(self._urls[reference], about.filename, about.media_type, about.bytes, about.sha256)
        return BufferedReader(_InputReader(lambda: file, self._limit, patient=True))

    def stop(self, reason: str) -> None:
        """Tells the handler to stop; the worker's to call."""
        if not self.cancelled:
            self.stop_reason = reason
            self._stopped.set()
            self._limit.end()


def _shown(value: Any) -> Any:
    """As JSON now: the handler may go on changing its own. What is none is shown as text: a line is never worth an attempt."""
    try:
        return json.loads(json.dumps(value, default=str, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return str(value)


class _InputReader(RemoteReader):
    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except Ended:
            raise Stopped from None
