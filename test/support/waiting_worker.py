"""The example worker with handlers that wait for a test: `told` waits for a line, `endless` until it is stopped."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples"))
import worker  # noqa: E402


def told(job):
    job.report(step="waiting", message="Waits for a line", percentage=50)
    # Checks nothing meanwhile, like a handler that is busy in a library call.
    return {"told": sys.stdin.readline().strip()}


def endless(job):
    while True:
        job.sleep(3600)


def broken(job):
    raise RuntimeError("a secret detail")


worker.HANDLERS.update(told=told, endless=endless, broken=broken)
worker.GRACE_SECONDS = 1
worker.main()
