import { expect, test } from 'vitest';
import { python } from '../support/python-program.ts';
import { hasPython } from '../support/python-worker.ts';

/** A server that holds the first claim until the worker was stopped. */
const server = `
import json, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from longhaul import Client, Worker

class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "claimJobs" in asked["query"]:
            worker.stop()
            return answer_claim(self)
        if "releaseJob" in asked["query"]:
            print("released", asked["variables"]["input"]["token"])
            return self.answer({"releaseJob": {"job": {"id": "job_1"}}})
        self.send_error(503)

    def answer(self, data):
        body = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_): pass

listening = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=listening.serve_forever, daemon=True).start()
worker = Worker(Client(f"http://127.0.0.1:{listening.server_port}", "key"))

@worker.handler("x")
def x(ctx, input): print("ran")
`;

test.runIf(hasPython())('jobs whose claim is answered while the worker stops are handed back', async () => {
  const lease = { token: 'lease_1', attempt: 1, seconds: 30, checkpoint: null, files: [], job: { id: 'job_1', type: 'x', input: {} } };
  const answered = `def answer_claim(request): request.answer({"claimJobs": {"leases": [json.loads('${JSON.stringify(lease)}')]}})`;
  expect(await python(`${server}\n${answered}\nworker.run()\nprint("stopped")`)).toBe('released lease_1\nstopped\n');
});

test.runIf(hasPython())('a claim that still waits when the worker stops is broken off', async () => {
  const held = `
broken = threading.Event()
def answer_claim(request):
    # Empty at its end: the worker has closed it.
    if request.connection.recv(1) == b"": broken.set()
`;
  expect(await python(`${server}\n${held}\nworker.run()\nprint("stopped", broken.wait(5))`)).toBe('stopped True\n');
});
