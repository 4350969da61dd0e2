/* runtime/agent/signal-name.h - "SIGTERM", "TERM" or "15" as a number: what images call their stop signal. */
#pragma once

int signal_number(const char *name);    /* 0: empty, or not one */
