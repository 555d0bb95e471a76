"""The job of the conformance kit on the Python package."""

import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../python/src"))

from longhaul import Client, Fatal, Retryable, Worker  # noqa: E402

worker = Worker(Client(os.environ["LONGHAUL_URL"], os.environ["LONGHAUL_API_KEY"]), concurrency=2, drain_seconds=1)


@worker.handler("conformance")
def conformance(ctx, input):
    sha256 = None
    if "sourceUrl" in input:
        with ctx.open(input["sourceUrl"]) as source:
            content = source.read()
        sha256 = hashlib.sha256(content).hexdigest()
        if input.get("save"):
            ctx.save("copy", content)
    ctx.sleep(input.get("seconds", 0))
    if input.get("fail") == "fatal":
        raise Fatal("REFUSED", "No attempt would help.")
    if "checkpoint" in input and ctx.checkpoint.last is None:
        ctx.checkpoint.save(input["checkpoint"])
        raise Retryable("Another attempt goes on from here.", after=input.get("retryAfterSeconds"))
    return {"name": input["name"], "checkpoint": ctx.checkpoint.last, "sha256": sha256}


worker.run()
