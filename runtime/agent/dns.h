/* runtime/agent/dns.h - names of Services and pods, answered on the node's address of the pods' network, port 53
 * (UDP).
 *
 * NAME.NS.svc.cluster.local is a Service's address, or those of its pods when it has none; HOST.NAME.NS.svc... one
 * pod; _PORT._PROTOCOL.NAME.NS.svc... the port (SRV); 10-244-0-5.NS.pod... an address. Everything else is asked of
 * the node's own name servers. */
#pragma once

#include "kube/informer.h"
#include "runtime/agent/dns-message.h"

#define DNS_DOMAIN "cluster.local"

struct dns;
struct dns_source { struct informer *services, *endpoints; };

/* NULL, with the reason: the address is taken. In that case pods use the node's name servers. */
struct dns *dns_start(struct loop *l, const char *ip, const struct dns_source *source, struct err *err);
void dns_stop(struct dns **d);

/* The answer to a question about a name below DNS_DOMAIN; false: it is about another one. Reads the source only. */
bool dns_resolve(const struct dns_source *source, struct sv packet, const struct dns_question *q, struct str *out);
