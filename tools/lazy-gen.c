/* lazy-gen OUT.S LIBRARY.so - writes a stub for each function that a shared library exports. base/lazy.h has the story. */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct library {
	const char *path, *bytes;
	size_t size;
	const ElfW(Shdr) *sections;
	size_t n;
};

static _Noreturn void die(const char *path, const char *what)
{
	fprintf(stderr, "lazy-gen: %s: %s\n", path, what);
	exit(1);
}

static const void *at(const struct library *l, size_t offset, size_t size)
{
	if (offset > l->size || size > l->size - offset)
		die(l->path, "it is cut short");
	return l->bytes + offset;
}

static const ElfW(Shdr) *section(const struct library *l, unsigned type)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->sections[i].sh_type == type)
			return &l->sections[i];
	return NULL;
}

/* A text of the table that a section refers to. */
static const char *text(const struct library *l, const ElfW(Shdr) *s, size_t offset)
{
	const ElfW(Shdr) *strings = &l->sections[s->sh_link < l->n ? s->sh_link : 0];
	const char *p = at(l, strings->sh_offset, strings->sh_size);

	if (offset >= strings->sh_size || p[strings->sh_size - 1])
		die(l->path, "a name is out of bounds");
	return p + offset;
}

static void map(struct library *l)
{
	int fd = open(l->path, O_RDONLY | O_CLOEXEC);
	const ElfW(Ehdr) *head;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(l->path, "it cannot be read");
	l->size = (size_t)st.st_size;
	l->bytes = mmap(NULL, l->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (l->bytes == MAP_FAILED)
		die(l->path, "it cannot be read");
	head = at(l, 0, sizeof *head);
	if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_type != ET_DYN || head->e_shentsize != sizeof *l->sections)
		die(l->path, "it is not a shared library");
	l->n = head->e_shnum;
	l->sections = at(l, head->e_shoff, l->n * sizeof *l->sections);
}

static const char *soname(const struct library *l)
{
	const ElfW(Shdr) *s = section(l, SHT_DYNAMIC);
	const ElfW(Dyn) *d = s ? at(l, s->sh_offset, s->sh_size) : NULL;

	for (size_t i = 0; s && i < s->sh_size / sizeof *d; i++)
		if (d[i].d_tag == DT_SONAME)
			return text(l, s, d[i].d_un.d_val);
	die(l->path, "it has no SONAME");
}

/* Functions that the library defines; of those with several versions, the one that new programs get. */
static void write_functions(const struct library *l, FILE *out)
{
	const ElfW(Shdr) *s = section(l, SHT_DYNSYM), *v = section(l, SHT_GNU_versym);
	const ElfW(Sym) *symbols = s ? at(l, s->sh_offset, s->sh_size) : NULL;
	size_t n = s ? s->sh_size / sizeof *symbols : 0;
	const ElfW(Half) *versions = v ? at(l, v->sh_offset, n * sizeof *versions) : NULL;

	for (size_t i = 0; i < n; i++) {
		bool is_function = ELF64_ST_TYPE(symbols[i].st_info) == STT_FUNC && symbols[i].st_shndx != SHN_UNDEF;
		bool is_old = versions && versions[i] & 0x8000;

		if (is_function && !is_old)
			fprintf(out, "FUNCTION %s\n", text(l, s, symbols[i].st_name));
	}
}

int main(int argc, char **argv)
{
	struct library l = { .path = argc == 3 ? argv[2] : "usage" };
	FILE *out;

	if (argc != 3)
		die(l.path, "lazy-gen OUT.S LIBRARY.so");
	map(&l);
	if (!(out = fopen(argv[1], "w")))
		die(argv[1], "it cannot be written");
	fprintf(out, "#include \"base/lazy-stub.h\"\nLIBRARY \"%s\"\n", soname(&l));
	write_functions(&l, out);
	if (fclose(out))
		die(argv[1], "it cannot be written");
	return 0;
}
