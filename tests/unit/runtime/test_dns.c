/* Names of Services: questions as bytes, answers read back field by field. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/fiber.h"
#include "kube/fake-client.h"
#include "runtime/agent/dns.h"

/* ---- messages ---- */

static void put_question(struct str *p, const char *name, uint16_t type, unsigned edns)
{
	static const char head[] = { 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	struct sv label, rest = sv_c(name);

	str_add(p, (struct sv){ head, sizeof head });
	for (bool more = rest.n > 0; more;) {
		more = sv_cut(rest, '.', &label, &rest);
		str_add1(p, (char)label.n);
		str_add(p, label);
	}
	str_add(p, (struct sv){ (const char[]){ 0, (char)(type >> 8), (char)type, 0, 1 }, 5 });
	if (edns) {
		p->p[11] = 1;
		str_add(p, (struct sv){ (const char[]){ 0, 0, 41, (char)(edns >> 8), (char)edns, 0, 0, 0, 0, 0, 0 }, 11 });
	}
}

static void question_is_read(void **state)
{
	AUTO(str) p = { 0 };
	struct dns_question q;

	(void)state;
	put_question(&p, "Web.Default.svc.Cluster.local", DNS_A, 1232);
	assert_int_equal(dns_question_read(str_sv(&p), &q), 0);
	assert_string_equal(q.name, "web.default.svc.cluster.local");
	assert_int_equal(q.type, DNS_A);
	assert_int_equal(q.room, 1232);
	assert_true(q.edns);
}

static void broken_questions_are_refused(void **state)
{
	AUTO(str) p = { 0 };
	struct dns_question q;

	(void)state;
	put_question(&p, "web.local", DNS_A, 0);
	for (size_t n = 0; n < p.n; n++)
		assert_true(dns_question_read((struct sv){ p.p, n }, &q) != 0);
	p.p[2] = (char)0x81;
	assert_true(dns_question_read(str_sv(&p), &q) < 0);     /* an answer is never answered */
	p.p[2] = 0x28;
	assert_int_equal(dns_question_read(str_sv(&p), &q), DNS_NOT_IMPLEMENTED);
	p.p[2] = 1;
	p.p[12] = (char)0xc0;
	assert_int_equal(dns_question_read(str_sv(&p), &q), DNS_FORMAT);        /* a pointer to itself */
}

/* ---- names ---- */

static unsigned u16(const struct str *p, size_t at) { return (unsigned)(unsigned char)p->p[at] << 8 | (unsigned char)p->p[at + 1]; }

/* "NAME TYPE" -> "0 10.96.0.7" (code, then the answers' addresses or names), or "foreign". */
static void ask(const struct dns_source *s, const char *name, uint16_t type, struct str *text)
{
	AUTO(str) p = { 0 };
	AUTO(str) out = { 0 };
	struct dns_question q;
	size_t at;

	put_question(&p, name, type, 4096);
	if (dns_question_read(str_sv(&p), &q) || !dns_resolve(s, str_sv(&p), &q, &out)) {
		str_addc(text, "foreign");
		return;
	}
	str_addf(text, "%u", out.p[3] & 15);
	at = q.end;
	for (unsigned i = 0; i < u16(&out, 6); i++) {
		unsigned kind = u16(&out, at + 2), n = u16(&out, at + 10);
		const unsigned char *d = (const unsigned char *)out.p + at + 12;

		if (kind == DNS_A)
			str_addf(text, " %u.%u.%u.%u", d[0], d[1], d[2], d[3]);
		if (kind == DNS_CNAME)
			str_addf(text, " alias of %u bytes", n);
		if (kind == DNS_SRV)
			str_addf(text, " port %u", (unsigned)d[4] << 8 | d[5]);
		at += 12 + n;
	}
}

static struct str wrong;

static void expect(const struct dns_source *s, const char *name, uint16_t type, const char *want)
{
	AUTO(str) got = { 0 };

	ask(s, name, type, &got);
	if (!str_eq(str_c(&got), want))
		str_addf(&wrong, "%s %u: '%s', want '%s'\n", name, type, str_c(&got), want);
}

static const char *const cluster[] = {
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\",\"namespace\":\"default\"},\"spec\":{\"clusterIP\":\"10.96.0.7\","
	"\"ports\":[{\"name\":\"http\",\"port\":80,\"protocol\":\"TCP\"}]}}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"db\",\"namespace\":\"default\"},\"spec\":{\"clusterIP\":\"None\"}}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Endpoints\",\"metadata\":{\"name\":\"db\",\"namespace\":\"default\"},\"subsets\":[{\"addresses\":["
	"{\"ip\":\"10.244.0.4\",\"hostname\":\"db-0\"},{\"ip\":\"10.244.0.5\",\"hostname\":\"db-1\"}]}]}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"out\",\"namespace\":\"default\"},\"spec\":{\"type\":\"ExternalName\","
	"\"externalName\":\"example.com\"}}",
};

static void ask_all(const struct dns_source *s)
{
	expect(s, "web.default.svc.cluster.local", DNS_A, "0 10.96.0.7");
	expect(s, "web.default.svc.cluster.local", DNS_AAAA, "0");
	expect(s, "db.default.svc.cluster.local", DNS_A, "0 10.244.0.4 10.244.0.5");
	expect(s, "db-1.db.default.svc.cluster.local", DNS_A, "0 10.244.0.5");
	expect(s, "db-9.db.default.svc.cluster.local", DNS_A, "3");
	expect(s, "_http._tcp.web.default.svc.cluster.local", DNS_SRV, "0 port 80");
	expect(s, "_no._tcp.web.default.svc.cluster.local", DNS_SRV, "3");
	expect(s, "_http._udp.web.default.svc.cluster.local", DNS_SRV, "3");
	expect(s, "out.default.svc.cluster.local", DNS_A, "0 alias of 13 bytes");
	expect(s, "none.default.svc.cluster.local", DNS_A, "3");
	expect(s, "web.other.svc.cluster.local", DNS_A, "3");
	expect(s, "default.svc.cluster.local", DNS_A, "0");
	expect(s, "10-244-0-9.default.pod.cluster.local", DNS_A, "0 10.244.0.9");
	expect(s, "x.default.pod.cluster.local", DNS_A, "3");
	expect(s, "a.b.c.d.e.f.g.h.i.j.svc.cluster.local", DNS_A, "3");
	expect(s, "cluster.local", DNS_A, "0");
	expect(s, "notcluster.local", DNS_A, "foreign");
	expect(s, "example.com", DNS_A, "foreign");
}

static int in_fiber(void *arg)
{
	struct kinds *kinds = kinds_new();
	struct client *c = fake_client(fiber_loop(), kinds);
	struct informers *all = informers_new(fiber_loop(), c);
	struct dns_source s = { informer_of(all, kinds_find(kinds, "v1", "Service")), informer_of(all, kinds_find(kinds, "v1", "Endpoints")) };

	(void)arg;
	for (size_t i = 0; i < sizeof cluster / sizeof *cluster; i++)
		fake_add(c, cluster[i]);
	if (informer_wait(s.services) == 0 && informer_wait(s.endpoints) == 0)
		ask_all(&s);
	informers_free(&all);
	client_free(&c);
	kinds_free(&kinds);
	return 0;
}

static void names_of_the_cluster_are_answered(void **state)
{
	(void)state;
	fiber_main(in_fiber, NULL);
	if (wrong.n)
		fail_msg("%s", str_c(&wrong));
}

static void long_answer_is_cut_and_says_so(void **state)
{
	AUTO(str) p = { 0 };
	AUTO(str) out = { 0 };
	struct dns_question q;

	(void)state;
	put_question(&p, "db.default.svc.cluster.local", DNS_A, 0);
	assert_int_equal(dns_question_read(str_sv(&p), &q), 0);
	dns_answer_start(&out, str_sv(&p), &q, DNS_OK);
	for (int i = 0; i < 40; i++)
		dns_answer_address(&out, 5, (struct in_addr){ 1 });
	dns_answer_end(&out, &q);
	assert_int_equal(out.n, q.end);
	assert_int_equal(out.p[2] & 2, 2);
	assert_int_equal(u16(&out, 6), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(question_is_read),
		TEST(broken_questions_are_refused),
		TEST(names_of_the_cluster_are_answered),
		TEST(long_answer_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
