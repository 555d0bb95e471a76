"""The example worker with handlers that wait for a test: `told` waits for a line, `stepwise` for one at each step of the
example's own handler, `endless` and `patient` until they are stopped."""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples"))
import protocol_worker as worker  # noqa: E402


def told(job):
    job.report(step="waiting", message="Waits for a line", percentage=50)
    # Checks nothing meanwhile, like a handler that is busy in a library call.
    return {"told": sys.stdin.readline().strip()}


def stepwise(job):
    job.sleep = lambda _seconds: sys.stdin.readline()
    return worker.transcribe(job)


def endless(job):
    while True:
        job.sleep(3600)


def broken(job):
    raise RuntimeError("a secret detail")


worker.HANDLERS.update(told=told, stepwise=stepwise, endless=endless, patient=endless, broken=broken)
os.environ["GRACE_SECONDS"] = "1"
worker.main()
