#include "base/spdy-frame.h"

#define HEAD 8
#define VERSION 3

static unsigned byte_at(struct sv s, size_t i) { return i < s.n ? (unsigned char)s.p[i] : 0; }

uint32_t spdy_u32(struct sv s, size_t at)
{
	return byte_at(s, at) << 24 | byte_at(s, at + 1) << 16 | byte_at(s, at + 2) << 8 | byte_at(s, at + 3);
}

/* ---- reading ---- */

static struct sv head_of(const struct spdy_parser *p) { return (struct sv){ (const char *)p->head, HEAD }; }
static bool is_control(const struct spdy_parser *p) { return p->head[0] & 0x80; }

static int check_head(struct spdy_parser *p, struct err *err)
{
	unsigned version = (p->head[0] & 0x7fu) << 8 | p->head[1];

	p->left = spdy_u32(head_of(p), 4) & 0xffffff;
	str_cut(&p->control, 0);
	if (!is_control(p))
		return 0;
	if (version != VERSION)
		return err_set(err, ERR_BAD_REQUEST, "SPDY: a frame of version %u", version);
	if (p->left > SPDY_CONTROL_MAX)
		return err_set(err, ERR_TOO_LARGE, "SPDY: a control frame of %zu bytes", p->left);
	return 0;
}

static struct sv take(struct sv *in, size_t n)
{
	struct sv head = { in->p, in->n < n ? in->n : n };

	*in = sv_drop(*in, head.n);
	return head;
}

static int give_data(struct spdy_parser *p, struct sv *in, struct spdy_frame *out)
{
	struct sv piece = take(in, p->left);

	if (!piece.n && p->left)
		return 0;
	p->left -= piece.n;
	*out = (struct spdy_frame){ SPDY_DATA, p->left ? 0 : p->head[4], spdy_stream_id(head_of(p), 0), piece };
	if (!p->left)
		p->head_n = 0;
	return 1;
}

static int give_control(struct spdy_parser *p, struct sv *in, struct spdy_frame *out)
{
	struct sv piece = take(in, p->left);

	str_add(&p->control, piece);
	p->left -= piece.n;
	if (p->left)
		return 0;
	p->head_n = 0;
	*out = (struct spdy_frame){ (unsigned)p->head[2] << 8 | p->head[3], p->head[4], 0, str_sv(&p->control) };
	return 1;
}

int spdy_parse(struct spdy_parser *p, struct sv *in, struct spdy_frame *out, struct err *err)
{
	if (p->head_n < HEAD) {
		struct sv piece = take(in, HEAD - p->head_n);

		if (piece.n)
			memcpy(p->head + p->head_n, piece.p, piece.n);
		p->head_n += piece.n;
		if (p->head_n < HEAD)
			return 0;
		TRY(check_head(p, err));
	}
	return is_control(p) ? give_control(p, in, out) : give_data(p, in, out);
}

void spdy_parser_free(struct spdy_parser *p) { str_free(&p->control); }

/* ---- writing ---- */

void spdy_add_u32(struct str *out, uint32_t v)
{
	const char bytes[] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v };

	str_add(out, (struct sv){ bytes, 4 });
}

void spdy_add_control(struct str *out, enum spdy_type type, unsigned flags, struct sv payload)
{
	spdy_add_u32(out, 0x80000000u | VERSION << 16 | type);
	spdy_add_u32(out, flags << 24 | (uint32_t)payload.n);
	str_add(out, payload);
}

void spdy_add_data(struct str *out, uint32_t stream, unsigned flags, struct sv data)
{
	spdy_add_u32(out, stream);
	spdy_add_u32(out, flags << 24 | (uint32_t)data.n);
	str_add(out, data);
}
