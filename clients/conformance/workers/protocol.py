"""The job of the conformance kit on examples/protocol_worker.py, which is imported unchanged."""

import hashlib
import http.client
import os
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../examples"))

import protocol_worker as worker  # noqa: E402


def content_of(job, file):
    for _ in range(5):
        try:
            with urllib.request.urlopen(file["url"], timeout=30) as response:
                content = response.read()
        except (OSError, http.client.HTTPException):
            content = b""
        if hashlib.sha256(content).hexdigest() == file["sha256"]:
            return content
        job.sleep(0.2)
    raise worker.JobFailed("SOURCE_BROKEN", "The file did not arrive whole.")


def conformance(job):
    input, sha256 = job.input, None
    if "sourceUrl" in input:
        content = content_of(job, job.files[input["sourceUrl"]])
        sha256 = hashlib.sha256(content).hexdigest()
        if input.get("save"):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "copy.bin")
                with open(path, "wb") as file:
                    file.write(content)
                job.attach(path, "copy")
    job.sleep(input.get("seconds", 0))
    if input.get("fail") == "fatal":
        raise worker.JobFailed("REFUSED", "No attempt would help.", retryable=False)
    if "checkpoint" in input and job.checkpoint is None:
        job.report(checkpoint=input["checkpoint"])
        raise worker.JobFailed("HALF_WAY", "Another attempt goes on from here.")
    return {"name": input["name"], "checkpoint": job.checkpoint, "sha256": sha256}


worker.HANDLERS = {"conformance": conformance}
worker.main()
