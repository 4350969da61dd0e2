#include "runtime/network/nft.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#define ELEMENT_ROOM 1024       /* one element never takes more */

/* ---- the transaction ---- */

static void mark(struct nft *n, uint16_t type)
{
	struct nfgenmsg g = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0,
		.res_id = htons(NFNL_SUBSYS_NFTABLES) };

	nl_begin(&n->batch, type, 0, &g, sizeof g, 0, "%s", "apply the rules");
}

void nft_start(struct nft *n, const char *table)
{
	*n = (struct nft){ .table = table };
	mark(n, NFNL_MSG_BATCH_BEGIN);
}

int nft_commit(struct nft *n, int fd, struct err *err)
{
	mark(n, NFNL_MSG_BATCH_END);
	return nl_send(fd, &n->batch, NULL, NULL, err);
}

void nft_free(struct nft *n) { nl_batch_free(&n->batch); }

#define BEGIN(n, type, flags, ...) \
	nl_begin(&(n)->batch, NFNL_SUBSYS_NFTABLES << 8 | (type), flags, &family, sizeof family, 0, __VA_ARGS__)

static const struct nfgenmsg family = { .nfgen_family = NFPROTO_IPV4, .version = NFNETLINK_V0 };

static void put_number(struct nlmsghdr *m, uint16_t type, uint32_t v) { mnl_attr_put_u32(m, type, htonl(v)); }

void nft_table_add(struct nft *n)
{
	mnl_attr_put_strz(BEGIN(n, NFT_MSG_NEWTABLE, NLM_F_CREATE, "add table '%s'", n->table), NFTA_TABLE_NAME,
			  n->table);
}

void nft_table_del(struct nft *n, bool may_be_absent)
{
	if (may_be_absent)      /* there is none that fails silently in Debian 12's kernel: add it first */
		nft_table_add(n);
	mnl_attr_put_strz(BEGIN(n, NFT_MSG_DELTABLE, 0, "delete table '%s'", n->table), NFTA_TABLE_NAME, n->table);
}

static void on_table(void *arg, const struct nlmsghdr *m)
{
	if (m->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		*(int *)arg = 1;
}

int nft_table_exists(int fd, const char *table, struct err *err)
{
	AUTO(nl_batch) b = { 0 };
	int there = 0;

	mnl_attr_put_strz(nl_begin(&b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_ACK, &family, sizeof family,
				   ENOENT, "look for table '%s'", table),
			  NFTA_TABLE_NAME, table);
	TRY(nl_send(fd, &b, on_table, &there, err));
	return there;
}

/* ---- chains ---- */

void nft_chain_add(struct nft *n, const char *name)
{
	struct nlmsghdr *m = BEGIN(n, NFT_MSG_NEWCHAIN, NLM_F_CREATE, "add chain '%s'", name);

	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, n->table);
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, name);
}

void nft_chain_hook(struct nft *n, const char *name, const char *type, unsigned hook, int priority)
{
	struct nlmsghdr *m;
	struct nlattr *nest;

	nft_chain_add(n, name);
	m = nl_message(&n->batch);
	mnl_attr_put_strz(m, NFTA_CHAIN_TYPE, type);
	nest = mnl_attr_nest_start(m, NFTA_CHAIN_HOOK);
	put_number(m, NFTA_HOOK_HOOKNUM, hook);
	put_number(m, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	mnl_attr_nest_end(m, nest);
}

void nft_chain_del(struct nft *n, const char *name)
{
	struct nlmsghdr *m = BEGIN(n, NFT_MSG_DELRULE, 0, "empty chain '%s'", name);

	mnl_attr_put_strz(m, NFTA_RULE_TABLE, n->table);
	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, name);
	m = BEGIN(n, NFT_MSG_DELCHAIN, 0, "delete chain '%s'", name);
	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, n->table);
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, name);
}

/* ---- sets and maps ---- */

void nft_set_add(struct nft *n, const struct nft_set *s)
{
	/* For `nft list` alone: byte order of key and value. Type, length and value of each are a byte, a byte, a
	 * word. */
	static const unsigned char big_endian[] = { 0, 4, 2, 0, 0, 0, 1, 4, 2, 0, 0, 0 };
	struct nlmsghdr *m = BEGIN(n, NFT_MSG_NEWSET, NLM_F_CREATE, "add set '%s'", s->name);
	struct nlattr *nest;

	mnl_attr_put_strz(m, NFTA_SET_TABLE, n->table);
	mnl_attr_put_strz(m, NFTA_SET_NAME, s->name);
	put_number(m, NFTA_SET_FLAGS,
		   s->flags | (s->value_type ? NFT_SET_MAP : 0) | (s->timeout_ms ? NFT_SET_TIMEOUT : 0));
	put_number(m, NFTA_SET_KEY_TYPE, s->key_type);
	put_number(m, NFTA_SET_KEY_LEN, s->key_n);
	if (s->value_type)
		put_number(m, NFTA_SET_DATA_TYPE, s->value_type);
	if (s->value_n)
		put_number(m, NFTA_SET_DATA_LEN, s->value_n);
	put_number(m, NFTA_SET_ID, ++n->set_id);
	if (s->timeout_ms)
		mnl_attr_put_u64(m, NFTA_SET_TIMEOUT, htobe64(s->timeout_ms));
	nest = mnl_attr_nest_start(m, NFTA_SET_DESC);
	if (s->size)
		put_number(m, NFTA_SET_DESC_SIZE, s->size);
	mnl_attr_nest_end(m, nest);
	mnl_attr_put(m, NFTA_SET_USERDATA, sizeof big_endian, big_endian);
}

void nft_set_del(struct nft *n, const char *name)
{
	struct nlmsghdr *m = BEGIN(n, NFT_MSG_DELSET, 0, "delete set '%s'", name);

	mnl_attr_put_strz(m, NFTA_SET_TABLE, n->table);
	mnl_attr_put_strz(m, NFTA_SET_NAME, name);
}

static void elements_head(struct nft *n)
{
	struct nlmsghdr *m = BEGIN(n, n->set_type, n->set_type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0,
				   "%s elements of '%s'", n->set_type == NFT_MSG_NEWSETELEM ? "add" : "delete", n->set);

	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, n->table);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, n->set);
}

static void elements_start(struct nft *n, const char *set, uint16_t type)
{
	n->set = set;
	n->set_type = type;
	n->list = NULL;         /* the message is begun by the first element: none, no message */
}

void nft_elements_add(struct nft *n, const char *set) { elements_start(n, set, NFT_MSG_NEWSETELEM); }
void nft_elements_del(struct nft *n, const char *set) { elements_start(n, set, NFT_MSG_DELSETELEM); }

void nft_set_flush(struct nft *n, const char *name)
{
	elements_start(n, name, NFT_MSG_DELSETELEM);
	elements_head(n);       /* a delete that names no element */
}

void nft_elements_end(struct nft *n)
{
	if (n->list)
		mnl_attr_nest_end(nl_message(&n->batch), n->list);
	n->list = NULL;
}

static void put_value(struct nlmsghdr *m, uint16_t type, const void *p, size_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);

	mnl_attr_put(m, NFTA_DATA_VALUE, size, p);
	mnl_attr_nest_end(m, nest);
}

static void put_verdict(struct nlmsghdr *m, uint16_t type, int code, const char *chain)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);
	struct nlattr *verdict = mnl_attr_nest_start(m, NFTA_DATA_VERDICT);

	put_number(m, NFTA_VERDICT_CODE, (uint32_t)code);
	if (chain)
		mnl_attr_put_strz(m, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(m, verdict);
	mnl_attr_nest_end(m, nest);
}

/* Opens the next element; a full message is ended and another one begun. */
static struct nlmsghdr *element(struct nft *n, const void *key, size_t key_n)
{
	if (n->list && nl_message(&n->batch)->nlmsg_len > NL_MESSAGE_MAX / 2 - ELEMENT_ROOM)
		nft_elements_end(n);
	if (!n->list) {
		elements_head(n);
		n->list = mnl_attr_nest_start(nl_message(&n->batch), NFTA_SET_ELEM_LIST_ELEMENTS);
	}
	n->item = mnl_attr_nest_start(nl_message(&n->batch), NFTA_LIST_ELEM);
	put_value(nl_message(&n->batch), NFTA_SET_ELEM_KEY, key, key_n);
	return nl_message(&n->batch);
}

void nft_element(struct nft *n, const void *key, size_t key_n, const void *value, size_t value_n)
{
	struct nlmsghdr *m = element(n, key, key_n);

	if (value)
		put_value(m, NFTA_SET_ELEM_DATA, value, value_n);
	mnl_attr_nest_end(m, n->item);
}

void nft_element_goto(struct nft *n, const void *key, size_t key_n, const char *chain)
{
	struct nlmsghdr *m = element(n, key, key_n);

	put_verdict(m, NFTA_SET_ELEM_DATA, NFT_GOTO, chain);
	mnl_attr_nest_end(m, n->item);
}

void nft_element_end_of_range(struct nft *n, const void *key, size_t key_n)
{
	struct nlmsghdr *m = element(n, key, key_n);

	put_number(m, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	mnl_attr_nest_end(m, n->item);
}

/* ---- rules ---- */

void nft_rule(struct nft *n, const char *chain)
{
	struct nlmsghdr *m = BEGIN(n, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "add a rule to chain '%s'", chain);

	mnl_attr_put_strz(m, NFTA_RULE_TABLE, n->table);
	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, chain);
	n->list = mnl_attr_nest_start(m, NFTA_RULE_EXPRESSIONS);
}

void nft_rule_end(struct nft *n) { nft_elements_end(n); }

static struct nlmsghdr *expr(struct nft *n, const char *name)
{
	struct nlmsghdr *m = nl_message(&n->batch);

	n->item = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	mnl_attr_put_strz(m, NFTA_EXPR_NAME, name);
	n->data = mnl_attr_nest_start(m, NFTA_EXPR_DATA);
	return m;
}

static void expr_end(struct nft *n)
{
	mnl_attr_nest_end(nl_message(&n->batch), n->data);
	mnl_attr_nest_end(nl_message(&n->batch), n->item);
}

void nft_expr_v(struct nft *n, const char *name, const struct nft_number *v, size_t n_v)
{
	struct nlmsghdr *m = expr(n, name);

	for (size_t i = 0; i < n_v; i++)
		put_number(m, v[i].type, v[i].value);
	expr_end(n);
}

void nft_cmp(struct nft *n, enum nft_cmp_ops op, uint32_t reg, const void *data, size_t size)
{
	struct nlmsghdr *m = expr(n, "cmp");

	put_number(m, NFTA_CMP_SREG, reg);
	put_number(m, NFTA_CMP_OP, op);
	put_value(m, NFTA_CMP_DATA, data, size);
	expr_end(n);
}

void nft_mask(struct nft *n, uint32_t reg, const void *mask, size_t size)
{
	static const unsigned char zero[16];
	struct nlmsghdr *m = expr(n, "bitwise");

	put_number(m, NFTA_BITWISE_SREG, reg);
	put_number(m, NFTA_BITWISE_DREG, reg);
	put_number(m, NFTA_BITWISE_LEN, (uint32_t)size);
	put_value(m, NFTA_BITWISE_MASK, mask, size);
	put_value(m, NFTA_BITWISE_XOR, zero, size);
	expr_end(n);
}

void nft_in_set(struct nft *n, const char *set, uint32_t reg)
{
	struct nlmsghdr *m = expr(n, "lookup");

	mnl_attr_put_strz(m, NFTA_LOOKUP_SET, set);
	put_number(m, NFTA_LOOKUP_SREG, reg);
	expr_end(n);
}

void nft_in_map(struct nft *n, const char *map, uint32_t reg, uint32_t to)
{
	struct nlmsghdr *m = expr(n, "lookup");

	mnl_attr_put_strz(m, NFTA_LOOKUP_SET, map);
	put_number(m, NFTA_LOOKUP_SREG, reg);
	put_number(m, NFTA_LOOKUP_DREG, to);
	expr_end(n);
}

void nft_remember(struct nft *n, enum nft_dynset_ops op, const char *map, uint32_t key, uint32_t value)
{
	struct nlmsghdr *m = expr(n, "dynset");

	mnl_attr_put_strz(m, NFTA_DYNSET_SET_NAME, map);
	put_number(m, NFTA_DYNSET_OP, op);
	put_number(m, NFTA_DYNSET_SREG_KEY, key);
	put_number(m, NFTA_DYNSET_SREG_DATA, value);
	expr_end(n);
}

void nft_reject(struct nft *n, enum nft_reject_types type, uint8_t icmp_code)
{
	struct nlmsghdr *m = expr(n, "reject");

	put_number(m, NFTA_REJECT_TYPE, type);
	mnl_attr_put_u8(m, NFTA_REJECT_ICMP_CODE, icmp_code);   /* the one number that is a byte */
	expr_end(n);
}

void nft_verdict(struct nft *n, int code, const char *chain)
{
	struct nlmsghdr *m = expr(n, "immediate");

	put_number(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	put_verdict(m, NFTA_IMMEDIATE_DATA, code, chain);
	expr_end(n);
}
