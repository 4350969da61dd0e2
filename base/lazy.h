/* base/lazy.h - libraries that are loaded when their first function is called: cmake/lazy.cmake, decision 10.
 *
 * A call to a function of such a library goes through a slot. The slot first leads to lazy_resolve (base/lazy.S), which
 * keeps the arguments, has the function bound here, and goes on to it; from then on the slot leads there directly. */
#pragma once

struct lazy_library {
	const char *soname;             /* "libcurl.so.4" */
	void *handle;                   /* of dlopen; NULL until it is loaded */
};

/* One function; tools/lazy-gen.c writes them, and their form is known to base/lazy-stub.h. */
struct lazy_function {
	void *address;
	struct lazy_library *library;
	const char *name;
};

/* For lazy_resolve: the address of a function, which its slot holds from then on. A library that is not installed ends
 * the program with its name, as it does for those that are loaded at the start. */
void *lazy_bind(struct lazy_function *f);

/* Loads all of them. For a program that stays: it fails at once if one is missing, and loads nothing later, when a
 * thread may be in another root. */
void lazy_load_all(void);
