"""How a worker talks to Longhaul: GraphQL as JSON over HTTP, tried again until there is an answer."""

import http.client
import json
import logging
import random
import time
import urllib.error
import urllib.request

log = logging.getLogger("worker")


def mutation(name: str, payload: str) -> str:
    """Builds a mutation, which answers with its payload or with a UserError that has a code."""
    kind = name[0].upper() + name[1:]
    selection = f"... on UserError {{ code message }} ... on {kind}Payload {{ {payload} }}"
    return f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ {selection} }} }}"


CLAIM = mutation(
    "claimJobs", "leases { token seconds checkpoint job { uuid type input } files { reference url filename mediaType bytes sha256 } }"
)
REPORT = mutation("reportProgress", "expiresAt")
CREATE_UPLOAD = mutation("createUpload", "uploadUrl upload { id }")
COMPLETE = mutation("completeJob", "job { status }")
FAIL = mutation("failJob", "job { status }")
RELEASE = mutation("releaseJob", "job { status }")
LISTEN = "subscription ($workerId: String!) { leaseLost(workerId: $workerId) { token reason } }"

PASSING = ("RATE_LIMITED", "UNAVAILABLE", "INSUFFICIENT_STORAGE", "INTERNAL")


class Unavailable(Exception):
    """There was no answer, or one that means: try again later, but not before so many seconds."""

    def __init__(self, message: str, after: float = 0):
        super().__init__(message)
        self.after = after


class Refused(Exception):
    """The answer is an error that a repetition would not change."""

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class LeaseLost(Refused):
    """The job was cancelled, or its lease expired. Calls for this attempt have no effect any more."""


class Api:
    def __init__(self, url: str, key: str):
        self._url = url.rstrip("/") + "/graphql"
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, document: str, give_up=lambda: False, timeout: float = 15, **fields) -> dict:
        """Repeats the call until there is an answer. That is safe: if only the answer to an ending was lost, the next
        call gets the same answer, and if the answer to a claim was lost, its jobs are free when their leases expire."""
        body = json.dumps({"query": document, "variables": {"input": fields}}, allow_nan=False).encode()
        longest = 0.25
        while True:
            try:
                return self._once(body, timeout)
            except Unavailable as reason:
                if give_up():
                    raise
                pause = max(longest * random.uniform(0.5, 1), reason.after)  # so that workers do not all retry at once
                log.warning("%s; trying again in %.1f s", reason, pause)
            ends = time.monotonic() + pause
            while (left := ends - time.monotonic()) > 0:
                if give_up():
                    raise Unavailable("stopped before trying again")
                time.sleep(min(left, 0.1))
            longest = min(longest * 2, 5)

    def listen(self, document: str, **variables):
        """Yields what a subscription brings, over server-sent events, until the stream breaks (OSError) or ends."""
        body = json.dumps({"query": document, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {**self._headers, "Accept": "text/event-stream"})
        with urllib.request.urlopen(request, timeout=30) as stream:  # there is a comment every 12 seconds
            for line in stream:
                if line.startswith(b"data: {"):
                    yield json.loads(line[len(b"data: ") :])

    def _once(self, body: bytes, timeout: float) -> dict:
        request = urllib.request.Request(self._url, body, self._headers)
        try:
            try:
                response = urllib.request.urlopen(request, timeout=timeout)
            except urllib.error.HTTPError as error:
                response = error  # still an answer: its body says what is wrong
            with response:
                status, text, after = response.status, response.read(), response.headers.get("Retry-After") or ""
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"no answer from {self._url} ({error})") from error
        try:
            answer = json.loads(text)
            errors, data = answer.get("errors"), answer.get("data")
            code, message = (errors[0]["extensions"]["code"], errors[0]["message"]) if errors else (None, "")
        except (ValueError, AttributeError, LookupError, TypeError):
            data, code, message = None, f"HTTP_{status}", f"{self._url} does not answer as Longhaul does."
        if status == 429 or status >= 500 or code in PASSING:
            raise Unavailable(f"{self._url} answered {status}", float(after) if after.isdigit() else 0)
        if code or not data:
            raise Refused(code or f"HTTP_{status}", message)
        (payload,) = data.values()
        if "code" in payload:
            raise (LeaseLost if payload["code"] == "LEASE_LOST" else Refused)(payload["code"], payload["message"])
        return payload
