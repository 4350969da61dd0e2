/* runtime/agent/pumps.h - fibers that copy between a client's streams and a program's. */
#pragma once

#include "base/duplex.h"
#include "base/fiber.h"

/* From the client to the program. When the program does not read any more, what comes is read and dropped, so that it
 * does not hold up the rest of the connection. */
struct in_pump { struct duplex *from, *to; bool end; };         /* end: `to` ends with `from` */
void in_pump_run(void *arg);

/* From a program to the client, until the program's side has ended, or *over and nothing is left in it: what a program
 * wrote before it ended is there, and what its children still write later is not waited for. */
struct out_pump { int fd; struct duplex *to; const bool *over; struct fiber *fiber; bool ready; };
void out_pump_run(void *arg);
static inline void out_pump_look(struct out_pump *p) { fiber_wake(p->fiber); }  /* *over has become true */

/* Sizes of the client's terminal (see struct client_streams). */
struct size_pump { struct duplex *from; void (*set)(void *arg, uint16_t rows, uint16_t columns); void *arg; };
void size_pump_run(void *arg);
