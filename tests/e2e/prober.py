#!/usr/bin/env python3
"""Asks a URL over and over on new connections and counts the answers.

    prober.py URL INTERVAL_MS OUT [SECONDS]

Until SIGTERM or SECONDS have passed. OUT gets JSON: {"requests": n, "seconds": s, "failed": [[time, text], ...],
"answers": {text: n}, "last": {text: when the last connection with this answer was opened}}. An answer is the first line of
the body; anything but status 200 within 10 s has failed. OUT.begun appears with the first request.
"""
import collections, http.client, json, signal, sys, time, urllib.parse

url, interval, out = urllib.parse.urlsplit(sys.argv[1]), float(sys.argv[2]) / 1000, sys.argv[3]
end = time.monotonic() + float(sys.argv[4]) if len(sys.argv) > 4 else float("inf")
stopped = False


def stop(*_):
    global stopped
    stopped = True


signal.signal(signal.SIGTERM, stop)
answers, last, failed, n = collections.Counter(), {}, [], 0
started = due = time.monotonic()
while not stopped and due < end:
    opened = time.time()
    try:
        c = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=10)
        c.request("GET", url.path or "/", headers={"Connection": "close"})
        r = c.getresponse()
        body = r.read().decode(errors="replace").split("\n")[0]
        if r.status == 200:
            answers[body] += 1
            last[body] = opened
        else:
            failed.append([time.time(), f"status {r.status}: {body}"])
        c.close()
    except Exception as e:  # every kind of failure is what is being counted
        failed.append([time.time(), f"{type(e).__name__}: {e}"])
    n += 1
    if n == 1:
        open(out + ".begun", "w").close()
    due += interval
    wait = due - time.monotonic()
    if wait > 0:
        time.sleep(wait)
    else:
        due = time.monotonic()
seconds = time.monotonic() - started
json.dump({"requests": n, "seconds": seconds, "failed": failed, "answers": answers, "last": last}, open(out, "w"), indent=1)
