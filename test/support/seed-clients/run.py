"""Runs one of the samples: `run.py SAMPLE`. Each pause is reported on stderr as `sleep SECONDS`, and ends with a line on stdin.

Prints, after whatever the sample prints, its variable `job` as JSON. Every host is this machine.
"""

import json
import os
import socket
import sys
import time

# Last, so that the real library is used if it is installed.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_in"))

look_up = socket.getaddrinfo


def here(_host, *arguments, **options):
    return look_up("127.0.0.1", *arguments, **options)


def sleep(seconds):
    print("sleep", seconds, file=sys.stderr, flush=True)
    if sys.stdin.readline() == "":
        sys.exit("nobody waits any more")


socket.getaddrinfo = here
time.sleep = sleep

with open(sys.argv[1], encoding="utf-8") as sample:
    variables = {}
    exec(compile(sample.read(), sys.argv[1], "exec"), variables)
print(json.dumps(variables.get("job")))
