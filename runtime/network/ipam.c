#include "runtime/network/ipam.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/fs.h"

#define KEY_MAX 512

static struct sv ip_key(const uint32_t *ip) { return (struct sv){ (const char *)ip, sizeof *ip }; }

static void path_of(const struct ipam *i, uint32_t ip, struct str *out)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr a = { htonl(ip) };

	inet_ntop(AF_INET, &a, text, sizeof text);
	str_addf(out, "%s/%s", i->dir, text);
}

static void keep(struct ipam *i, struct sv key, uint32_t ip)
{
	map_put(&i->by_key, key, (void *)(uintptr_t)ip);
	map_put(&i->by_ip, ip_key(&ip), i);
	if (ip >= i->next)
		i->next = ip + 1;
}

/* A file whose name is no address of ours, or that is empty (a write cut short), holds nothing. */
static int load(struct ipam *i, const char *name, struct err *err)
{
	AUTO(str) path = { 0 };
	AUTO(str) key = { 0 };
	struct in_addr a;
	uint32_t ip;

	if (inet_pton(AF_INET, name, &a) != 1)
		return 0;
	ip = ntohl(a.s_addr);
	path_of(i, ip, &path);
	TRY(file_read(str_c(&path), KEY_MAX, &key, err));
	if (!key.n || ip < i->first || ip > i->last) {
		(void)unlink(str_c(&path));
		return 0;
	}
	keep(i, str_sv(&key), ip);
	return 0;
}

int ipam_open(struct ipam *i, const char *dir, uint32_t first, uint32_t last, struct err *err)
{
	struct dirent *e;
	int r = 0;
	DIR *d;

	*i = (struct ipam){ .dir = sv_dup(sv_c(dir)), .first = first, .last = last, .next = first };
	TRY(dir_make(dir, 0755, err));
	if (!(d = opendir(dir)))
		return err_errno(err, "open '%s'", dir);
	while (r >= 0 && (e = readdir(d)))
		r = load(i, e->d_name, err);
	closedir(d);
	return r;
}

static int find_free(struct ipam *i, uint32_t *ip, struct err *err)
{
	uint32_t n = i->last - i->first + 1;

	for (uint32_t k = 0; k < n; k++) {
		uint32_t at = i->first + (i->next - i->first + k) % n;

		if (!map_get(&i->by_ip, ip_key(&at))) {
			*ip = at;
			return 0;
		}
	}
	return err_set(err, ERR_FULL,
		       "no free pod address: all %u are in use; delete pods, or give the node a larger pod CIDR", n);
}

int ipam_take(struct ipam *i, const char *key, uint32_t *ip, struct err *err)
{
	void *has = map_get(&i->by_key, sv_c(key));
	AUTO(str) path = { 0 };
	AUTO_FD fd = -1;

	if (has) {
		*ip = (uint32_t)(uintptr_t)has;
		return 0;
	}
	TRY(find_free(i, ip, err));
	path_of(i, *ip, &path);
	/* Not synced: after a crash of the machine there is no pod that it could belong to. */
	if ((fd = open(str_c(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) < 0)
		return err_errno(err, "create '%s'", str_c(&path));
	if (write(fd, key, strlen(key)) != (ssize_t)strlen(key))
		return err_errno(err, "write '%s'", str_c(&path));
	keep(i, sv_c(key), *ip);
	i->next = *ip + 1;
	return 0;
}

int ipam_give_back(struct ipam *i, const char *key, struct err *err)
{
	uint32_t ip = (uint32_t)(uintptr_t)map_del(&i->by_key, sv_c(key));
	AUTO(str) path = { 0 };

	if (!ip)
		return 0;
	map_del(&i->by_ip, ip_key(&ip));
	path_of(i, ip, &path);
	if (unlink(str_c(&path)) < 0 && errno != ENOENT)
		return err_errno(err, "remove '%s'", str_c(&path));
	return 0;
}

void ipam_free(struct ipam *i)
{
	free(i->dir);
	map_free(&i->by_key);
	map_free(&i->by_ip);
	*i = (struct ipam){ 0 };
}
