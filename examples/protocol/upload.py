"""Sends a file by tus 1.0: after a cut it asks how much of it is there, and goes on from that."""

import http.client
import logging
import os
import time
import urllib.error
import urllib.request

from .calls import LeaseLost, Refused, Unavailable

log = logging.getLogger("worker")


def send(url: str, path: str, check) -> None:
    """Tries until the file is there. `check` is called in between, and ends it by what it raises."""
    size, offset, pause = os.path.getsize(path), 0, 0.25
    while True:
        try:
            if offset is None:
                offset = _request("HEAD", url)
                log.info("going on with %s after %d of %d bytes", os.path.basename(path), offset, size)
            with open(path, "rb") as file:
                file.seek(offset)
                headers = {"Upload-Offset": str(offset), "Content-Length": str(size - offset)}
                if _request("PATCH", url, _parts_of(file, check), headers) == size:
                    return
        except Unavailable as reason:
            log.warning("%s; trying again in %.1f s", reason, pause)
            time.sleep(pause)
            pause = min(pause * 2, 5)
        check()
        offset = None


def _request(method: str, url: str, body=None, headers=()) -> int:
    """Returns how much of the file is there. The URL is signed: no key goes along."""
    common = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
    request = urllib.request.Request(url, body, {**common, **dict(headers)}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return int(response.headers["Upload-Offset"])
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(500).decode(errors="replace")
        if error.code in (408, 409, 423, 429) or error.code >= 500:  # from another offset, or later
            raise Unavailable(f"the upload was answered with {error.code}") from error
        kind = LeaseLost if '"LEASE_LOST"' in text else Refused
        raise kind(f"HTTP_{error.code}", f"The file was refused: {text}") from error
    except (OSError, http.client.HTTPException, TypeError, ValueError) as error:
        raise Unavailable(f"the upload broke off ({error})") from error


def _parts_of(file, check):
    while part := file.read(65_536):
        check()
        yield part
