"""The example worker with a handler that knows nothing of the server's disk: it reads the file that the input names by its URL, and
makes a large one of it, which it sends."""

import hashlib
import os
import pathlib
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples"))
import protocol_worker as worker  # noqa: E402

MEGABYTE = 1024 * 1024


def recast(job):
    file = job.files[job.input["sourceUrl"]]
    seen = hashlib.sha256()
    with urllib.request.urlopen(file["url"]) as source:
        while chunk := source.read(MEGABYTE):
            seen.update(chunk)
    made = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "result.bin")
        with open(path, "wb") as result:
            block = b""
            for number in range(int(os.environ["RESULT_MEGABYTES"])):
                block = (block + hashlib.sha256(b"%d" % number).digest() * (MEGABYTE // 32))[-MEGABYTE:]
                made.update(block)
                result.write(block)
        print("sending", flush=True)
        job.attach(path, "video", "video/mp4")
    return {"source": seen.hexdigest(), "announced": file["sha256"], "made": made.hexdigest()}


worker.HANDLERS["transcribe"] = recast
worker.main()
