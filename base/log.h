/* base/log.h - one JSON object per line on stderr.
 *
 * Fields are key, value pairs of strings, ended by NULL: log_event(LOG_WARN, "sync failed", "app", name, "err", msg, NULL).
 * Libraries return errors; only the reconcile loop, the API handler and main log them, once. */
#pragma once

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_event(enum log_level level, const char *msg, ...) __attribute__((sentinel));
void log_set_level(enum log_level least);       /* default LOG_INFO */
int log_level_parse(const char *name);          /* "debug" and so on; -1: not one */
