"""Subscriptions over server-sent events (PROTOCOL.md, E1 to E7), followed across breaks."""

from __future__ import annotations

import json
import time
from typing import Any, Callable, Iterable, Iterator, Mapping, Optional, TypeVar

from .errors import ConnectionFailed, LonghaulError, is_passing
from .http import Http, data_of, encode, request, result_of
from .limit import Limit, backoff

Item = TypeVar("Item")

SILENT_AFTER = 30.0
"""The server sends a comment every 12 seconds (E4)."""

FIRST_BYTE_WITHIN = 10.0
"""A stream begins with a comment at once: what holds back that, holds back everything."""

HELD_SECONDS = 25
"""How long a poll is held."""

MOST_REFUSALS = 2
"""So often a stream may fail to open while the server answers: then something in between does not let it through."""

POLLS_FOR = 60.0
"""Seconds for which it keeps to polls before a break is taken as the occasion to try a stream again."""


def follow(
    http: Http,
    query: str,
    variables: Callable[[], Mapping[str, Any]],
    take: Callable[[Mapping[str, Any]], Iterable[Item]],
    limit: Limit,
) -> Iterator[Item]:
    """Yields what is new, until the server says that it is complete. `variables` has the place to resume from, which `take` moves. Raises
    what is no use to try again."""
    failures = refusals = 0
    polls_since: Optional[float] = None
    while True:
        opened = False
        try:
            for event in _events(http, query, variables(), polls_since is not None, limit):
                opened = True
                failures = refusals = 0
                if event is _COMPLETE:
                    return
                if event is not None:
                    yield from take(result_of(event))
        except LonghaulError as error:
            if not is_passing(error):
                raise
            if not opened and http.answers(limit):
                refusals += 1
                if refusals >= MOST_REFUSALS:
                    refusals = 0
                    polls_since = time.monotonic() if polls_since is None else None
            limit.pause(backoff(failures, error))
            failures += 1
        if polls_since is not None and time.monotonic() - polls_since > POLLS_FOR:
            polls_since = None


_COMPLETE: dict[str, Any] = {}


def _events(http: Http, query: str, variables: Mapping[str, Any], held: bool, limit: Limit) -> Iterator[Optional[dict[str, Any]]]:
    """Results, None for each sign of life, and _COMPLETE. Held, it ends in good order after the first result or in time."""
    headers = http.headers("text/event-stream")
    if held:
        headers["Prefer"] = f"wait={HELD_SECONDS}"
    body = encode({"query": query, "variables": variables})
    patience = HELD_SECONDS + SILENT_AFTER if held else FIRST_BYTE_WITHIN
    with request("POST", http.url, headers, body, limit, patience) as response:
        if not (response.header("Content-Type") or "").startswith("text/event-stream"):
            data_of(response)
            # An answer of another kind is a refusal.
            raise ConnectionFailed("The server answered a subscription with one result.")
        event, heard, after = "", False, None
        while line := response.line(patience):
            if not line.endswith(b"\n"):
                raise ConnectionFailed("The event stream was cut within a line.", after)
            heard, patience = True, SILENT_AFTER
            yield None
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name == "event":
                event = value
                if event == "complete":
                    yield _COMPLETE
                    return
            elif name == "retry" and value.isdigit():
                after = int(value) / 1_000
            elif name == "data" and event == "next":
                yield json.loads(value)
        if not held or not heard:
            raise ConnectionFailed("The event stream was cut.", after)
