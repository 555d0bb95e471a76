"""Reads files that go on after a break, and are checked against their digest."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable, Iterator, Optional, Union
from urllib.parse import unquote, urljoin, urlsplit

from .errors import ConnectionFailed, LonghaulError, NotFoundError, error_of, is_passing
from .http import Response, request, retry_after
from .job import Job
from .limit import MOST_FAILURES, Limit, backoff
from .upload import OnBytes

MOST_REDIRECTS = 5
"""A download may be sent on to the bucket that has the file."""

PART = 65_536


@dataclass(frozen=True)
class RemoteFile:
    url: str
    filename: str
    media_type: str
    bytes: Optional[int]
    sha256: Optional[str]


@dataclass(frozen=True)
class DownloadedFile:
    path: Optional[str]
    """Where it is; None where it was written to a file that was open."""
    filename: str
    """Its name at the server."""
    media_type: str
    bytes: int


class RemoteReader(io.RawIOBase):
    """A file at the server, from its beginning to its end. Where a connection breaks it asks for the rest. Raises LonghaulError, at the end
    also CHECKSUM_MISMATCH where the file is not the one that was stored."""

    def __init__(self, find: Callable[[], RemoteFile], limit: Limit, *, patient: bool = False):
        """`find` gives the file with a link that is good; `patient` tries for as long as the limit lets it."""
        self._find, self._limit, self._patient = find, limit, patient
        self._connection = ExitStack()
        self._response: Optional[Response] = None
        self.file = find()
        self.offset = 0
        self._digest = hashlib.sha256()
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._ended or len(buffer) == 0:
            return 0
        failures = 0
        while True:
            try:
                part = self._connected(failures).read(min(len(buffer), PART))
                if not part and self.file.bytes is not None and self.offset < self.file.bytes:
                    raise ConnectionFailed("The file broke off.")
            except LonghaulError as error:
                self._disconnect()
                if not is_passing(error) or (failures >= MOST_FAILURES and not self._patient):
                    raise
                self._limit.pause(backoff(failures, error))
                failures += 1
                continue
            buffer[: len(part)] = part
            self.offset += len(part)
            self._digest.update(part)
            if not part:
                self._end()
            return len(part)

    def close(self) -> None:
        self._disconnect()
        super().close()

    def _connected(self, failures: int) -> Response:
        if self._response is None:
            if failures > 0 or self.offset > 0:
                self.file = self._find()
            self._response = self._connection.enter_context(_get(self.file.url, self.offset, self._limit))
        return self._response

    def _disconnect(self) -> None:
        self._response = None
        self._connection.close()

    def _end(self) -> None:
        self._disconnect()
        self._ended = True
        if self.file.sha256 is not None and self._digest.hexdigest() != self.file.sha256:
            raise error_of("CHECKSUM_MISMATCH", "What was read is not the file that was stored. Read it again.")


@contextmanager
def _get(url: str, offset: int, limit: Limit) -> Iterator[Response]:
    headers = {"Range": f"bytes={offset}-"} if offset > 0 else {}
    for _ in range(MOST_REDIRECTS + 1):
        with request("GET", url, headers, None, limit) as response:
            location = response.header("Location")
            if response.status in (301, 302, 303, 307, 308) and location is not None:
                url = urljoin(url, location)
                continue
            if response.status == (206 if offset > 0 else 200):
                yield response
                return
            if response.status >= 500 or response.status == 429:
                raise error_of("UNAVAILABLE", f"The file cannot be had now ({response.status}).", retry_after=retry_after(response))
            raise error_of("NOT_FOUND", f"The file cannot be had ({response.status}). Read it again from its start.")
    raise error_of("NOT_LONGHAUL", "The file's address leads from one to another. Check what stands between.")


def file_of(job: Job, name: Optional[str]) -> RemoteFile:
    """The artifact of that name; the main one where not given."""
    for one in job.artifacts:
        if name is None or one.name == name:
            return RemoteFile(one.url, one.filename, one.media_type, one.bytes, one.sha256)
    if name is None and job.download_url is not None:
        filename = unquote(urlsplit(job.download_url).path.rsplit("/", 1)[-1]) or "file"
        return RemoteFile(job.download_url, filename, "application/octet-stream", None, None)
    what = "file" if name is None else f"file {name}"
    raise NotFoundError(
        "NOT_FOUND", f"The job is {job.status} and has no {what}. Files are there when it has COMPLETED, until they expire."
    )


def save(reader: RemoteReader, to: Union[str, "os.PathLike[str]", BinaryIO], on_progress: Optional[OnBytes]) -> DownloadedFile:
    """Writes it all. At a path it appears when it is whole; of a folder it gets its own name in it."""
    file = reader.file
    if not isinstance(to, (str, os.PathLike)):
        _copy(reader, to, on_progress)
        return DownloadedFile(None, file.filename, file.media_type, reader.offset)
    path = os.fspath(to)
    if os.path.isdir(path):
        # Its name comes from elsewhere, and must not lead out of the folder.
        path = os.path.join(path, os.path.basename(file.filename.replace("\\", "/")) or "file")
    partial = f"{path}.{os.getpid()}.part"
    try:
        with open(partial, "wb") as target:
            _copy(reader, target, on_progress)
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise
    return DownloadedFile(path, file.filename, file.media_type, reader.offset)


def _copy(reader: RemoteReader, target: BinaryIO, on_progress: Optional[OnBytes]) -> None:
    while part := reader.read(PART):
        target.write(part)
        if on_progress is not None:
            on_progress(reader.offset, reader.file.bytes or reader.offset)
