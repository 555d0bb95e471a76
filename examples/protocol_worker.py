#!/usr/bin/env python3
"""A complete Longhaul worker that uses only Python's standard library (3.9 or later): here is the work, in the folder `protocol` how a
worker claims it, keeps its lease and tells what came of it.

    LONGHAUL_API_KEY=lh_... python3 protocol_worker.py

Replace `transcribe` with your own work, or import this file and add to `HANDLERS`. A handler gets the job, may `report` progress and
`attach` files, and returns the output, any JSON value. Each job runs in its own thread. After a lost attempt it runs again, from the
last checkpoint that it reported or from the start, so its side effects should be idempotent.

    LONGHAUL_URL      base URL of Longhaul                                  http://localhost:4000
    LONGHAUL_API_KEY  a key with the scope WORK, or WORK_ALL                required
    WORKER_ID         recorded in the attempts                              machine/process
    TYPES             job types, separated by commas                        all with a handler
    CONCURRENCY       jobs at once                                          2
    GRACE_SECONDS     how long handlers have to notice a stop               5
    SUBTITLES         1: `transcribe` also makes a file, which is attached  no
"""

import logging
import os
import signal
import socket
import sys
import tempfile

from protocol.calls import Api, Refused
from protocol.job import Job, JobFailed
from protocol.worker import Worker

log = logging.getLogger("worker")


def transcribe(job: Job) -> dict:
    """Stands in for real work: makes up a transcript, one sentence at a time. After a crash it goes on where it was."""
    language = job.input.get("language") or "en"
    if language not in ("de", "en"):
        raise JobFailed("UNSUPPORTED_LANGUAGE", f"{language} is not supported; de and en are.", retryable=False)
    sentences = job.checkpoint or []
    for number in range(len(sentences) + 1, 5):
        job.report(step="transcribing", message=f"Sentence {number} of 4", percentage=number * 20)
        job.sleep(0.25)
        sentences = [*sentences, f"Sentence {number}."]
        job.report(checkpoint=sentences)
    if os.environ.get("SUBTITLES") == "1":
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, f"subtitles.{language}.vtt")
            cues = (f"\n00:00:0{n}.000 --> 00:00:0{n + 1}.000\n{sentence}\n" for n, sentence in enumerate(sentences))
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(["WEBVTT\n", *cues])
            job.attach(path, "subtitles", "text/vtt")
    return {"source": job.input["sourceUrl"], "language": language, "text": " ".join(sentences)}


HANDLERS = {"transcribe": transcribe}


def main() -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s")
    key = os.environ.get("LONGHAUL_API_KEY") or sys.exit("Set LONGHAUL_API_KEY to a key with the scope WORK.")
    types = [name.strip() for name in os.environ.get("TYPES", "").split(",") if name.strip()] or list(HANDLERS)
    if unknown := [name for name in types if name not in HANDLERS]:
        sys.exit(f"TYPES names {', '.join(unknown)}, but there are handlers only for {', '.join(HANDLERS)}.")
    worker = Worker(
        Api(os.environ.get("LONGHAUL_URL") or "http://localhost:4000", key),
        os.environ.get("WORKER_ID") or f"{socket.gethostname()}/{os.getpid()}",
        {name: HANDLERS[name] for name in types},
        int(os.environ.get("CONCURRENCY") or 2),
        float(os.environ.get("GRACE_SECONDS") or 5),
    )
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    log.info("working on %s", ", ".join(types))
    try:
        worker.run()
    except Refused as error:  # a wrong key, or a job type that this server does not have
        sys.exit(f"The claim was refused. {error}")
    log.info("stopped")


if __name__ == "__main__":
    main()
