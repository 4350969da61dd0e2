#!/bin/sh
# What / answers: the version, or an error.
if [ -n "$BROKEN" ]; then
	printf . >>/tmp/errors
	printf 'Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\n\r\nversion %s is broken\n' "$VERSION"
else
	printf . >>/tmp/answers
	printf 'Content-Type: text/plain\r\n\r\nv%s\n' "$VERSION"
fi
