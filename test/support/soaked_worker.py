"""A worker on the package, killed at any moment. Its jobs make a file of so many parts, and go on with the part that their checkpoint
names: each part's bytes follow from its number, so the file is the same whoever makes which part of it."""

import hashlib
import logging
import os
import sys
from dataclasses import dataclass

from longhaul import Client, Worker

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
client = Client(os.environ["LONGHAUL_URL"], os.environ["LONGHAUL_API_KEY"])
worker = Worker(client, concurrency=int(os.environ["CONCURRENCY"]), worker_id=os.environ["WORKER_ID"])


@dataclass
class Parts:
    source_url: str
    parts: int


@worker.handler("parts")
def make(ctx, input: Parts):
    begun_at = ctx.checkpoint.last or 0
    with ctx.open(input.source_url) as source:
        seed = source.read()
    for part in range(begun_at, input.parts):
        ctx.progress(100 * part / input.parts, f"Part {part + 1} of {input.parts}", step="making")
        ctx.log.info("making", part=part)
        ctx.sleep(1)
        ctx.checkpoint.save(part + 1)
    content = b"".join(hashlib.sha256(seed + b"%d" % part).digest() * 2_048 for part in range(input.parts))
    ctx.save("parts", content, filename="parts.bin")
    return {"begunAt": begun_at, "attempt": ctx.attempt}


worker.run()
