"""Runs a program on a terminal of so many rows and columns that is all of its standard streams and controls it: what comes in is typed there."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

pid, leader = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(sys.argv[1]), int(sys.argv[2]), 0, 0))
    os.execvp(sys.argv[3], sys.argv[3:])
sources = [leader, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(leader, typed)
        else:
            sources.remove(0)
    if leader in ready:
        try:
            output = os.read(leader, 65536)
        except OSError:
            # The program has closed the terminal.
            break
        if not output:
            break
        os.write(1, output)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
