"""Runs a program with a terminal as its standard output, copies what it prints, and passes SIGTERM on."""

import os
import pty
import signal
import sys
import tty

leader, follower = pty.openpty()
# Otherwise the terminal turns each newline into two characters.
tty.setraw(follower)
# Longhaul stops when its launcher is gone.
environment = {**os.environ, "LAUNCHER_PID": str(os.getpid())}
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], environment, file_actions=[(os.POSIX_SPAWN_DUP2, follower, 1)])
os.close(follower)
signal.signal(signal.SIGTERM, lambda number, _frame: os.kill(pid, number))
try:
    while output := os.read(leader, 65536):
        os.write(1, output)
except OSError:
    # The program has closed the terminal.
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
