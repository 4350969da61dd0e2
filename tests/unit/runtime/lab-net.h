/* tests/unit/runtime/lab-net.h - a network of one's own: the test's namespace, others for pods, tiny servers in them.
 * Every server is a child that dies with the test; every namespace dies with its last process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lab_ns { int fd; };                              /* a network namespace, held open */

/* the calling process goes into an empty network; exits 77 if it may not */
void lab_enter(void);
struct lab_ns lab_ns_new(void);
void lab_ns_free(struct lab_ns *ns);
/* A server in ns (fd -1: here) that answers each connection with one byte. Returns its pid; it listens already. */
int lab_serve(int ns_fd, const char *ip, uint16_t port, char answer);
/* one that sends back what it gets, one connection at a time */
int lab_echo(int ns_fd, const char *ip, uint16_t port);
int lab_serve_udp(int ns_fd, const char *ip, uint16_t port, char answer);
/* the byte answered to a packet from own_port, or -errno */
int lab_ask_udp(int ns_fd, uint16_t own_port, const char *ip, uint16_t port);
void lab_stop(int pid);
/* One connection from ns (fd -1: here): the byte answered, or -errno. */
int lab_ask(int ns_fd, const char *ip, uint16_t port);
struct lab_count { unsigned of[256]; unsigned failed; int error; };     /* error: the last errno */
void lab_ask_many(int ns_fd, const char *ip, uint16_t port, unsigned n, struct lab_count *out);
/* n times a byte there and back on one connection to an echo server: seconds, or less than 0. */
double lab_pings(int ns_fd, const char *ip, uint16_t port, unsigned n);
/* Text that a command of this machine prints ("nft list ruleset"); argv NULL-terminated. */
char *lab_output(const char *const *argv);
