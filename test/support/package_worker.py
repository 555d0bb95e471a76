"""A worker on the package, with handlers that wait for a test. Each prints what it does."""

import io
import logging
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Optional

from longhaul import Client, Fatal, Retryable, Worker

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
client = Client(os.environ["LONGHAUL_URL"], os.environ["LONGHAUL_API_KEY"])
worker = Worker(client, concurrency=int(os.environ["CONCURRENCY"]), worker_id="in Python", drain_seconds=float(os.environ.get("DRAIN", "20")))


@dataclass
class Options:
    loud: bool = False


@dataclass
class Speech:
    source_url: str
    times: int = 1
    options: Options = field(default_factory=Options)
    language: Optional[str] = None


@worker.handler("told")
def told(ctx, input):
    ctx.progress(50, "Waits for a line", step="waiting")
    ctx.log.info("begun", pages=5)
    ctx.log.warning("page 2 is empty")
    # Calls nothing of ctx meanwhile, like a handler that is busy in a library.
    return {"told": sys.stdin.readline().strip()}


@worker.handler("typed")
def typed(ctx, input: Speech):
    return {"said": f"{input.source_url} × {input.times}", "loud": input.options.loud, "language": input.language}


@worker.handler("endless")
def endless(ctx, input):
    while True:
        ctx.sleep(3600)


@worker.handler("busy")
def busy(ctx, input):
    until = time.monotonic() + 4
    while time.monotonic() < until:
        sum(range(1_000))
    return {"attempt": ctx.attempt}


@worker.handler("looking")
def looking(ctx, input):
    while not ctx.cancelled:
        time.sleep(0.01)
    print("saw", ctx.stop_reason, flush=True)


@worker.handler("broken")
def broken(ctx, input):
    if input.get("how") == "fatal":
        raise Fatal("TOO_LONG", "Six hours are the limit.")
    if input.get("how") == "retryable":
        raise Retryable("The disk is full.", after=3600, code="DISK_FULL")
    if input.get("how") == "output":
        return {"made": object()}
    raise RuntimeError("a secret detail")


@worker.handler("careless")
def careless(ctx, input):
    ctx.log.info("first")
    ctx.log.info("a\0b", loss=float("nan"), of={1, 2}.__class__)
    ctx.log.info("too much", text="x" * 20_000)
    for _ in range(1_000):
        ctx.log.debug("y" * 6_000)
    ctx.log.info("last")
    ctx.progress(Fraction(1, 2), "m" * 3_000, step="\0s")
    raise Fatal("no such form!", "a\0 sentence")


@worker.handler("stepwise")
def stepwise(ctx, input):
    done = ctx.checkpoint.last or 0
    print("goes on from", done, flush=True)
    while done < 3:
        ctx.progress(done * 30, f"Step {done}")
        sys.stdin.readline()
        done += 1
        ctx.checkpoint.save(done)
    return {"done": done, "attempt": ctx.attempt}


@worker.handler("files")
def files(ctx, input):
    (file,) = ctx.files
    with ctx.open(input["sourceUrl"]) as source:
        content = source.read()
    ctx.save("upper", content.upper(), filename=f"upper-{file.filename}")
    ctx.save("copy", io.BytesIO(content), filename="copy.bin", media_type="application/x-copy")
    return {"bytes": len(content)}


if os.environ.get("THREAD") == "1":
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    thread = threading.Thread(target=worker.run)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
    print("the thread has ended", flush=True)
else:
    worker.run()
