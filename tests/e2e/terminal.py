#!/usr/bin/env python3
"""terminal.py ROWS COLUMNS COMMAND...: runs a command on a terminal of that size and prints what it shows.

Standard input is a script of lines: `expect TEXT` waits until that was shown, `type TEXT` types it and Return,
`key N` types the character N, `size ROWS COLUMNS` resizes. At its end, waits for the command and returns its status."""
import fcntl, os, pty, select, signal, struct, sys, termios, time

LIMIT_S = 60


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Screen:
    def __init__(self, fd):
        self.fd, self.seen, self.at = fd, b"", 0

    def read(self, until):
        ready, _, _ = select.select([self.fd], [], [], max(0, until - time.monotonic()))
        if not ready:
            raise SystemExit("terminal: nothing more came: %r" % self.seen)
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.seen += data
        return bool(data)

    def expect(self, text):
        until = time.monotonic() + LIMIT_S
        while (found := self.seen.find(text, self.at)) < 0:
            if not self.read(until):
                raise SystemExit("terminal: it ended without %r: %r" % (text, self.seen))
        self.at = found + len(text)


def main():
    rows, columns, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    pid, fd = pty.fork()
    if pid == 0:
        resize(0, rows, columns)
        os.execvp(command[0], command)
    screen = Screen(fd)
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "expect":
            screen.expect(rest.encode())
        elif word == "type":
            os.write(fd, rest.encode() + b"\r")
        elif word == "key":
            os.write(fd, bytes([int(rest)]))
        elif word == "size":
            resize(fd, *map(int, rest.split()))
            os.kill(pid, signal.SIGWINCH)
    until = time.monotonic() + LIMIT_S
    while screen.read(until):
        pass
    sys.stdout.buffer.write(screen.seen)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


sys.exit(main())
