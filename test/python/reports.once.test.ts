import { expect, test } from 'vitest';
import { python } from '../support/python-program.ts';
import { hasPython } from '../support/python-worker.ts';

test.runIf(hasPython())('a lease is renewed also while all that its handler reports is refused', async () => {
  const printed = await python(`
import logging, threading, time
from longhaul import ValidationError
from longhaul.limit import Limit
from longhaul.reports import Reports
logging.disable()
renewed = threading.Event()

class Server:
    def once(self, document, variables, limit):
        if "message" in variables["input"]:
            raise ValidationError("VALIDATION_ERROR", "The message is not taken.")
        renewed.set()
        return {"reportProgress": {"expiresAt": "2100-01-01T00:00:00.000Z"}}

reports = Reports(Server(), "lease", 0.6, Limit(), lambda: None)
reports.start()
until = time.monotonic() + 5
while not renewed.wait(0.01) and time.monotonic() < until:
    reports.report({"message": "refused"})
reports.stop()
print(renewed.is_set())
`);
  expect(printed).toBe('True\n');
});
