#include "base/lazy.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* The section in which lazy-gen puts one library each; empty in a program that is linked with none. */
extern struct lazy_library __start_lazy_libraries[] __attribute__((weak, visibility("hidden")));
extern struct lazy_library __stop_lazy_libraries[] __attribute__((weak, visibility("hidden")));

static _Noreturn void die(void)
{
	fprintf(stderr, "error while loading shared libraries: %s\n", dlerror());
	exit(127);      /* what the dynamic loader ends with */
}

/* Two threads may be here at once: dlopen gives both the same handle. */
static void *load(struct lazy_library *l)
{
	void *handle = __atomic_load_n(&l->handle, __ATOMIC_ACQUIRE);

	if (handle)
		return handle;
	if (!(handle = dlopen(l->soname, RTLD_LAZY | RTLD_LOCAL)))
		die();
	__atomic_store_n(&l->handle, handle, __ATOMIC_RELEASE);
	return handle;
}

void *lazy_bind(struct lazy_function *f)
{
	void *address = dlsym(load(f->library), f->name);

	if (!address)
		die();
	__atomic_store_n(&f->address, address, __ATOMIC_RELEASE);
	return address;
}

void lazy_load_all(void)
{
	for (struct lazy_library *l = __start_lazy_libraries; l < __stop_lazy_libraries; l++)
		load(l);
}
