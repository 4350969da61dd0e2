/* runtime/network/nft.h - one nf_tables transaction in the making: chains, sets, maps, elements, rules as expressions.
 *
 * Everything is applied by nft_commit() at once, or nothing is. Expressions work on 4-byte registers, NFT_REG32_00 on;
 * a key or value of several fields lies in registers that follow each other, each field padded to 4 bytes. */
#pragma once

#include <linux/netfilter/nf_tables.h>
#include "runtime/network/netlink.h"

struct nft {
	struct nl_batch batch;
	const char *table;              /* family ip; borrowed */
	struct nlattr *list, *item, *data;      /* of the message that is being built */
	const char *set;                /* elements are being added to or deleted from this one */
	uint16_t set_type;
	uint32_t set_id;
};

void nft_start(struct nft *n, const char *table);
MUST_CHECK int nft_commit(struct nft *n, int fd, struct err *err);      /* fd: NETLINK_NETFILTER */
void nft_free(struct nft *n);

void nft_table_add(struct nft *n);              /* one that exists is kept */
void nft_table_del(struct nft *n, bool may_be_absent);
MUST_CHECK int nft_table_exists(int fd, const char *table, struct err *err);    /* 1, 0 */

void nft_chain_add(struct nft *n, const char *name);
void nft_chain_hook(struct nft *n, const char *name, const char *type, unsigned hook, int priority);
void nft_chain_del(struct nft *n, const char *name);    /* with its rules */

/* Types as `nft list` shows them: up to five, 6 bits each. Lengths are in bytes, fields padded to 4. */
enum nft_type { NFT_INTEGER = 4, NFT_IPADDR = 7, NFT_PROTO = 12, NFT_PORT = 13 };
#define NFT_2(a, b)    ((uint32_t)(a) << 6 | (b))
#define NFT_3(a, b, c) (NFT_2(a, b) << 6 | (c))

struct nft_set {
	const char *name;
	/* NFT_SET_INTERVAL, NFT_SET_EVAL ...; MAP and TIMEOUT follow from the fields below */
	uint32_t flags;
	uint32_t key_type, key_n;
	uint32_t value_type, value_n;   /* a map; NFT_DATA_VERDICT for a map to chains */
	uint64_t timeout_ms;
	uint32_t size;                  /* 0: no bound */
};
void nft_set_add(struct nft *n, const struct nft_set *s);
void nft_set_del(struct nft *n, const char *name);
void nft_set_flush(struct nft *n, const char *name);

/* Elements of one set or map: start, any number, end. */
void nft_elements_add(struct nft *n, const char *set);
void nft_elements_del(struct nft *n, const char *set);
/* value NULL: none */
void nft_element(struct nft *n, const void *key, size_t key_n, const void *value, size_t value_n);
void nft_element_goto(struct nft *n, const void *key, size_t key_n, const char *chain);
void nft_element_end_of_range(struct nft *n, const void *key, size_t key_n);
void nft_elements_end(struct nft *n);

/* One rule: start, expressions, end. */
void nft_rule(struct nft *n, const char *chain);
void nft_rule_end(struct nft *n);

struct nft_number { uint16_t type; uint32_t value; };   /* an attribute that is a 32-bit number */
/* Any expression that is made of numbers: nft_expr(n, "payload", { NFTA_PAYLOAD_DREG, 8 }, ...). */
#define nft_expr(n, name, ...) \
	nft_expr_v(n, name, (const struct nft_number[]){ __VA_ARGS__ }, \
		   sizeof((const struct nft_number[]){ __VA_ARGS__ }) / sizeof(struct nft_number))
void nft_expr_v(struct nft *n, const char *name, const struct nft_number *v, size_t n_v);
void nft_cmp(struct nft *n, enum nft_cmp_ops op, uint32_t reg, const void *data, size_t size);
void nft_mask(struct nft *n, uint32_t reg, const void *mask, size_t size);      /* reg &= mask */
void nft_in_set(struct nft *n, const char *set, uint32_t reg);
void nft_in_map(struct nft *n, const char *map, uint32_t reg, uint32_t to);     /* to NFT_REG_VERDICT: go there */
void nft_remember(struct nft *n, enum nft_dynset_ops op, const char *map, uint32_t key, uint32_t value);
void nft_reject(struct nft *n, enum nft_reject_types type, uint8_t icmp_code);
void nft_verdict(struct nft *n, int code, const char *chain);   /* NF_ACCEPT, NF_DROP, NFT_JUMP ...; chain or NULL */
