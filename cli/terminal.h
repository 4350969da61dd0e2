/* cli/terminal.h - this process's own standard streams as duplexes, and its terminal. */
#pragma once

#include "base/duplex.h"

/* Standard input, output or error: files, pipes and terminals, which stay as they are (blocking). */
struct standard { struct duplex base; int fd; };
void standard_init(struct standard *s, int fd);

/* The terminal of standard input without its own ideas about lines and keys; given back at the end, also by a signal that
 * ends the process. false: it is none. */
bool terminal_raw(void);
void terminal_restore(void);

/* Its size, now and whenever it changes: reads as {"Width": columns, "Height": rows}. */
struct terminal_size { struct duplex base; struct fiber *fiber; bool changed; struct str text; size_t at; };
void terminal_size_init(struct terminal_size *t);
void terminal_size_free(struct terminal_size *t);
