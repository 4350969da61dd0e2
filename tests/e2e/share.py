#!/usr/bin/env python3
"""Do new connections reach a version by its weight?

    share.py ADDRESS ANSWER WEIGHT CONNECTIONS [PER_SECOND]

Opens the connections one after another, PER_SECOND of them a second (0: as fast as they are answered), and counts those whose
answer is ANSWER. The kernel draws each one, so the count is binomial:

- weights 0 and 100 are exact, and so is what is wanted of them
- else the count has to be within 3 standard deviations, which a right weight misses 27 times in 10,000. A miss is decided by
  four times as many new connections within 5 deviations: a narrower band in per cent than the first (5 / sqrt(4) < 3), which
  a right weight misses 6 to 10 times in 10,000,000. Together that is once in 400 million, while a wrong one is found sooner.

Exit 0: it is so. A connection that fails, or an answer that is none, is an error.
"""
import math, socket, sys, time

address, answer, weight, connections = sys.argv[1], sys.argv[2].encode(), float(sys.argv[3]) / 100, int(sys.argv[4])
per_second = float(sys.argv[5]) if len(sys.argv) > 5 else 0


def ask():
    with socket.create_connection((address, 80), timeout=10) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while piece := s.recv(4096):
            data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        sys.exit(f"not an answer: {data!r}")
    return body.strip()


def within(n, deviations):
    got, due = 0, time.monotonic()
    started = due
    for _ in range(n):
        got += ask() == answer
        if per_second:
            due += 1 / per_second
            time.sleep(max(0, due - time.monotonic()))
    sigma = math.sqrt(n * weight * (1 - weight))
    off = abs(got - n * weight)
    print(
        f"{got} of {n} reached {answer.decode()}, want {n * weight:.0f} +- {deviations * sigma:.0f}"
        f" ({off / sigma if sigma else off:.2f} deviations; {n / (time.monotonic() - started):.0f} a second)"
    )
    return off <= deviations * sigma


if not within(connections, 3):
    sys.exit(0 if 0 < weight < 1 and within(4 * connections, 5) else 1)
