"""One attempt at a job, from its claim to its last word."""

from __future__ import annotations

import logging
from typing import Any, Callable, Mapping

from . import documents
from .context import Context, Stopped
from .errors import LeaseLostError, LonghaulError
from .http import Http, encode
from .limit import Ended, Limit
from .outcome import failure_of
from .reports import Reports

log = logging.getLogger("longhaul")

RELEASE_WITHIN = 4.0
"""Seconds that handing back may take while the handler still runs."""


class Attempt:
    def __init__(self, http: Http, read: Callable[[object], object], run: Callable[[Context, Any], Any], lease: Mapping[str, Any]):
        self._http, self._read, self._run, self._lease = http, read, run, lease
        self._token: str = lease["token"]
        # Of what is told to the server: ended when there is nobody to tell.
        self._over = Limit()
        self._telling = False
        self._reports = Reports(http, self._token, lease["seconds"], self._over, self._lost)
        self._context = Context(http, lease, self._reports, self._lost)

    def stop(self, reason: str) -> None:
        """The handler is told to stop, and what it still gives is not sent, but where the attempt is handed back."""
        # Whoever tells the end is answered, also that the lease is lost. A heartbeat beside it may be told so by that very end.
        if self._telling:
            return
        self._context.stop(reason)
        if reason != "DRAIN":
            self._over.end()

    def _lost(self) -> None:
        self.stop("LEASE_LOST")

    def carry_out(self) -> None:
        """Runs the handler, and tells the server what came of it. Raises where the server refuses to hear it."""
        log.info("began %s (%s, attempt %d)", self._context.job_id, self._context.type, self._context.attempt)
        self._reports.start()
        try:
            document, values = self._outcome()
            self._reports.flush()
            if self._over.ended:
                raise Ended
            self._telling = True
            self._tell(document, values)
        except (Ended, LeaseLostError):
            log.info("dropped %s: %s", self._context.job_id, self._context.stop_reason or "LEASE_LOST")
        finally:
            self._reports.stop()
            self._context.stop("LEASE_LOST")

    def release(self) -> None:
        """Hands it back while its handler, which was told to stop, still runs."""
        if self._over.ended:
            return
        try:
            self._http.mutate(documents.RELEASE, {"token": self._token}, Limit(RELEASE_WITHIN))
            log.info("released %s, whose handler still runs", self._context.job_id)
        except LonghaulError as error:
            log.warning("could not release %s, its lease will expire: %s", self._context.job_id, error)
        self._over.end()

    def _outcome(self) -> tuple[str, dict[str, Any]]:
        context = self._context
        try:
            output = self._run(context, self._read(self._lease["job"]["input"]))
        except BaseException as error:
            if context.stop_reason == "DRAIN":
                return documents.RELEASE, {}
            if not isinstance(error, Stopped) and not context.cancelled:
                log.warning("the handler of %s failed", context.job_id, exc_info=True)
            return documents.FAIL, failure_of(error)
        values: dict[str, Any] = {"output": output}
        if context.artifacts:
            values["artifacts"] = context.artifacts
        try:
            encode(values)
        except (TypeError, ValueError) as error:
            return documents.FAIL, _refused(f"The output is no JSON: {error}")
        return documents.COMPLETE, values

    def _tell(self, document: str, values: dict[str, Any]) -> None:
        try:
            self._http.insist(document, {"token": self._token, **values}, self._over)
            word = {documents.COMPLETE: "completed", documents.FAIL: "failed", documents.RELEASE: "released"}[document]
            log.info("%s %s", word, self._context.job_id)
        except LonghaulError as error:
            if document != documents.COMPLETE or isinstance(error, LeaseLostError):
                raise
            log.warning("the output of %s was refused: %s", self._context.job_id, error)
            self._http.insist(documents.FAIL, {"token": self._token, **_refused(error.message)}, self._over)


def _refused(message: str) -> dict[str, Any]:
    return {"code": "OUTPUT_REFUSED", "message": message[:10_000], "retryable": False}
