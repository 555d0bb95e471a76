"""What a Longhaul worker keeps (PROTOCOL.md, Workers), on Python's standard library: for whoever writes one in another language."""
