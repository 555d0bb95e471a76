"""A worker in twenty lines, on the package: pip install ./clients/python"""

import logging
import os

from longhaul import Client, Fatal, Worker

logging.basicConfig(level=logging.INFO)
worker = Worker(Client(os.environ.get("LONGHAUL_URL", "http://localhost:4000"), os.environ["LONGHAUL_API_KEY"]), concurrency=2)


@worker.handler("transcribe")
def transcribe(ctx, input):  # stands in for real work: makes up one sentence at a time, and goes on where an attempt before it was
    if input.get("language", "en") not in ("de", "en"):
        raise Fatal("UNSUPPORTED_LANGUAGE", f"{input['language']} is not supported; de and en are.")
    sentences = ctx.checkpoint.last or []
    while len(sentences) < 4:
        ctx.progress(len(sentences) * 25, f"Sentence {len(sentences) + 1} of 4", step="transcribing")
        ctx.sleep(0.25)
        sentences.append(f"Sentence {len(sentences) + 1}.")
        ctx.checkpoint.save(sentences)
    ctx.save("text", " ".join(sentences).encode(), filename="transcript.txt")
    return {"text": " ".join(sentences)}


worker.run()
