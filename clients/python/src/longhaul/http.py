"""GraphQL over HTTP, each request on a connection of its own. Safe to use from several threads."""

from __future__ import annotations

import dataclasses
import http.client
import json
import socket
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Mapping, Optional, Protocol, Union
from urllib.parse import urlsplit

from .errors import ConnectionFailed, LonghaulError, error_of, is_passing, is_worth_waiting
from .limit import Limit, backoff

ANSWER_WITHIN = 30.0
"""Seconds for which one request waits for its answer."""

MOST_TRIES = 9
"""How often a call is tried: over half a minute, longer than a server takes to restart."""

BLOCK = 65_536
"""Bytes of a file that are sent at a time."""


class Readable(Protocol):
    def read(self, size: int = ...) -> bytes: ...


Body = Union[bytes, Readable, None]


class Response:
    """An answer whose body is still to be read."""

    def __init__(self, answer: http.client.HTTPResponse, connected: socket.socket, limit: Limit):
        self._answer, self._socket, self._limit = answer, connected, limit
        self.status = answer.status

    def header(self, name: str) -> Optional[str]:
        return self._answer.getheader(name)

    def read(self, size: Optional[int] = None, timeout: float = ANSWER_WITHIN) -> bytes:
        """At most so many bytes; all where not given. Raises ConnectionFailed where they do not come."""
        with broken(self._limit):
            self._socket.settimeout(self._limit.cap(timeout))
            if size is None:
                return self._answer.read()
            return self._answer.read1(size)

    def line(self, timeout: float) -> bytes:
        """Empty at the end."""
        with broken(self._limit):
            self._socket.settimeout(self._limit.cap(timeout))
            return self._answer.readline()


@contextmanager
def broken(limit: Limit) -> Iterator[None]:
    """Makes of a network's failure one of this package's; what was ended or took too long comes first."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        limit.check()
        raise ConnectionFailed(f"The connection broke, or nothing came in time ({error or type(error).__name__}).") from error


@contextmanager
def request(
    method: str, url: str, headers: Mapping[str, str], body: Body, limit: Limit, timeout: float = ANSWER_WITHIN
) -> Iterator[Response]:
    """Sends it, and gives the answer, whatever its status. `timeout`: seconds for each wait on the network."""
    limit.check()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        raise ValueError(f"{url!r} is no address. Give an absolute one, with http:// or https://.")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=limit.cap(timeout), blocksize=BLOCK)
    connected: Optional[socket.socket] = None
    try:
        with broken(limit):
            connection.connect()
            connected = connection.sock
            assert connected is not None
            limit.watch(connected)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
        try:
            yield Response(answer, connected, limit)
        finally:
            answer.close()
    finally:
        if connected is not None:
            limit.forget(connected)
        connection.close()


class Http:
    def __init__(self, url: str, key: str):
        base = url.rstrip("/")
        self.url = base if base.endswith("/graphql") else f"{base}/graphql"
        # What was read from a file ends with a line break. Not quoted, as errors are logged.
        self._key = key.strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise ValueError("The key has characters that no key has. Give it as it was made.")

    def headers(self, accept: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json", "Accept": accept}

    def once(self, query: str, variables: Mapping[str, Any], limit: Limit, timeout: float = ANSWER_WITHIN) -> dict[str, Any]:
        body = encode({"query": query, "variables": variables})
        with request("POST", self.url, self.headers("application/json"), body, limit, timeout) as response:
            return data_of(response)

    def ask(
        self, query: str, variables: Mapping[str, Any], limit: Limit, on_repeat: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        """The data. What passes (no answer, UNAVAILABLE, RATE_LIMITED) is tried again. All that is sent here may be sent again: it reads,
        or carries an idempotency key, or does no harm."""
        tries = 1
        while True:
            try:
                return self.once(query, variables, limit)
            except LonghaulError as error:
                if not is_passing(error) or tries == MOST_TRIES:
                    raise
                limit.pause(backoff(tries, error))
            on_repeat()
            tries += 1

    def mutate(
        self, document: str, values: Mapping[str, Any], limit: Limit, on_repeat: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        """Of one field: its payload, or its failure raised."""
        return payload_of(self.ask(document, {"input": values}, limit, on_repeat))

    def insist(self, document: str, values: Mapping[str, Any], limit: Limit) -> dict[str, Any]:
        """As `mutate`, for as long as the limit lets it: of a worker, whose lease says when it is over."""
        failures = 0
        while True:
            try:
                return payload_of(self.once(document, {"input": values}, limit))
            except LonghaulError as error:
                if not is_worth_waiting(error):
                    raise
                limit.pause(backoff(failures, error))
                failures += 1

    def answers(self, limit: Limit) -> bool:
        """Whether the server answers at all."""
        try:
            self.once("{ __typename }", {}, limit, 5)
        except LonghaulError as error:
            limit.check()
            return not is_passing(error)
        return True


def encode(value: object) -> bytes:
    """As JSON. Raises ValueError or TypeError where it is none."""
    return json.dumps(value, allow_nan=False, default=_plain).encode()


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def retry_after(response: Response) -> Optional[float]:
    told = response.header("Retry-After")
    return float(told) if told is not None and told.isdigit() else None


def data_of(response: Response) -> dict[str, Any]:
    """Reads an answer, whatever stands between: a proxy's page becomes an error of its status."""
    after = retry_after(response)
    text = response.read()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not ("data" in answer or "errors" in answer):
        status = response.status
        code = "UNAVAILABLE" if status >= 500 else "RATE_LIMITED" if status == 429 else "NOT_LONGHAUL"
        message = f"The answer ({status}) is not Longhaul's. Check the url, and what stands between."
        raise error_of(code, message, retry_after=after)
    return result_of(answer, after)


def result_of(answer: Mapping[str, Any], after: Optional[float] = None) -> dict[str, Any]:
    """The data of a result."""
    for error in answer.get("errors") or []:
        raise error_of((error.get("extensions") or {}).get("code") or "INTERNAL", error["message"], retry_after=after)
    data = answer.get("data")
    if not isinstance(data, dict):
        raise error_of("INTERNAL", "The answer has neither data nor errors.")
    return data


def payload_of(data: Mapping[str, Any]) -> dict[str, Any]:
    (payload,) = data.values()
    if not isinstance(payload, dict):
        raise error_of("INTERNAL", "The mutation has no answer.")
    if "code" in payload and "message" in payload:
        raise error_of(payload["code"], payload["message"], payload)
    return payload
