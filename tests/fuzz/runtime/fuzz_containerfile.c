/* A Containerfile's instructions, words, variables and patterns: no input may crash them or take long. */
#include "base/glob.h"
#include "runtime/image/containerfile.h"
#include "runtime/image/ignore.h"
#include "runtime/image/name.h"
#include "runtime/image/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_words(const struct instruction *in, char escape)
{
	char one[] = "A=1", two[] = "B=", *vars[] = { one, two };
	const struct strings env = { vars, 2, 2 };
	const struct scope scope = { &env, &env, false };
	struct strings words = { 0 };
	AUTO(str) text = { 0 };

	if (words_expand(&scope, str_sv(&in->text), escape, &text, NULL) >= 0)
		(void)!words_split(str_sv(&text), escape, &words, NULL);
	for (size_t i = 0; i < words.n; i++) {
		AUTO(image_name) name = { 0 };

		(void)glob_match(sv_c(words.v[i]), str_sv(&in->text));
		(void)!image_name_parse(&name, words.v[i], NULL);
	}
	strings_free(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct containerfile c;
	struct ignore ignore = { 0 };
	struct sv text = { (const char *)data, size };
	AUTO(err) err = { 0 };

	if (containerfile_parse(text, "Containerfile", &c, &err) >= 0) {
		for (size_t i = 0; i < c.n; i++)
			try_words(&c.v[i], c.escape);
		containerfile_free(&c);
	}
	ignore_parse(&ignore, text);
	(void)ignore_matches(&ignore, "some/deep/path/file.o");
	ignore_free(&ignore);
	return 0;
}
