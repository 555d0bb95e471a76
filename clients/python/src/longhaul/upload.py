"""Sends files, whole, by tus 1.0: after a cut it asks how much the server has, and goes on from there."""

from __future__ import annotations

import io
import json
import mimetypes
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable, Iterator, Optional, Union

from . import documents
from .errors import ConnectionFailed, LonghaulError, error_of, is_passing, is_worth_waiting
from .http import Http, Response, request, retry_after
from .limit import MOST_FAILURES, Limit, backoff

Source = Union[str, "os.PathLike[str]", bytes, BinaryIO]
"""A path, the content itself, or a file that is open for reading bytes and can seek."""

OnBytes = Callable[[int, int], object]
"""Told how many bytes are done, and of how many."""

WITHIN = 60.0
"""Seconds for each wait on the network."""


@dataclass(frozen=True)
class UploadedFile:
    """Goes into an input as it is."""

    id: str

    @property
    def reference(self) -> str:
        """As it stands in an input."""
        return f"upload:{self.id}"


def upload(
    http: Http,
    source: Source,
    limit: Limit,
    *,
    filename: Optional[str] = None,
    media_type: Optional[str] = None,
    token: Optional[str] = None,
    on_progress: Optional[OnBytes] = None,
) -> UploadedFile:
    """With a lease's token it is a result of its attempt, and tried for as long as the limit lets it."""
    with _opened(source) as file:
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        name = filename or _name_of(source)
        values: dict[str, Any] = {"filename": name, "bytes": size}
        kind = media_type or mimetypes.guess_type(name)[0]
        if kind is not None:
            values["mediaType"] = kind
        if token is None:
            made = http.mutate(documents.CREATE_UPLOAD, values, limit)
        else:
            made = http.insist(documents.CREATE_UPLOAD, {"token": token, **values}, limit)
        _send(made["uploadUrl"], _Sent(file, start, size, on_progress), limit, patient=token is not None)
        return UploadedFile(made["upload"]["id"])


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:
            yield file
    else:
        yield source


def _name_of(source: Source) -> str:
    path = getattr(source, "name", None) if not isinstance(source, (str, bytes, os.PathLike)) else source
    return os.path.basename(os.fspath(path)) if isinstance(path, (str, os.PathLike)) else "file"


class _Sent(io.RawIOBase):
    """The part of a file that is still to be sent, for http.client to read."""

    def __init__(self, file: BinaryIO, start: int, size: int, on_progress: Optional[OnBytes]):
        self._file, self._start, self._on_progress = file, start, on_progress
        self._offset = 0
        self.size = size

    def begin(self, offset: int) -> None:
        self._offset = offset
        self._file.seek(self._start + offset)
        self._tell()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        # A file that has grown since is sent as long as it was announced.
        left = self.size - self._offset
        part = self._file.read(left if size < 0 else min(size, left))
        self._offset += len(part)
        self._tell()
        return part

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self._offset, self.size)


def _send(url: str, sent: _Sent, limit: Limit, *, patient: bool) -> None:
    offset, failures, asked = 0, 0, False
    while True:
        try:
            if failures > 0:
                there = _offset_in(url, "HEAD", {}, None, limit)
                failures = failures if there == offset else 1
                offset, asked = there, True
            if offset == sent.size and (sent.size > 0 or asked):
                return
            sent.begin(offset)
            headers = {
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
                "Content-Length": str(sent.size - offset),
            }
            offset = _offset_in(url, "PATCH", headers, sent, limit)
            if offset == sent.size:
                return
        except LonghaulError as error:
            if error.code == "ALREADY_COMPLETE":  # the answer to the last part was lost
                return
            if not (is_worth_waiting(error) if patient else is_passing(error)) or (failures >= MOST_FAILURES and not patient):
                raise
            limit.pause(backoff(failures, error))
            failures += 1


def _offset_in(url: str, method: str, headers: dict[str, str], body: Optional[_Sent], limit: Limit) -> int:
    """How much the server has. The URL is signed, so no key goes along."""
    with request(method, url, {"Tus-Resumable": "1.0.0", **headers}, body, limit, WITHIN) as response:
        if response.status >= 300:
            raise _refusal_of(response)
        told = response.header("Upload-Offset")
    if told is None or not told.isdigit():
        raise error_of("NOT_LONGHAUL", "The answer to an upload has no Upload-Offset. Check what stands between.")
    return int(told)


def _refusal_of(response: Response) -> LonghaulError:
    status, after = response.status, retry_after(response)
    try:
        told = json.loads(response.read() or b"{}").get("error") or {}
    except (ValueError, AttributeError, ConnectionFailed):
        told = {}
    code, message = told.get("code"), told.get("message") or f"The server refused the file ({status})."
    # Of these the same request may have another answer later: a slow line, another request that is not over, a server that stops.
    if status in (408, 409, 423, 429, 502, 503, 504) and code not in ("ALREADY_COMPLETE", "IN_USE"):
        return error_of("UNAVAILABLE", message, retry_after=after)
    return error_of(code or ("UNAVAILABLE" if status >= 500 else "UPLOAD_REFUSED"), message, retry_after=after)
