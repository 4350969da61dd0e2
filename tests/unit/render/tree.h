/* tests/unit/render/tree.h - trees of files written as one text: "-- PATH" starts a file, its lines follow. */
#pragma once

#include "base/vfs.h"

static inline struct vfs *tree_of(struct sv text)
{
	struct vfs *v = vfs_memory();
	struct sv line, rest = text;
	AUTO(str) path = { 0 };
	AUTO(str) content = { 0 };

	while (rest.n) {
		sv_cut(rest, '\n', &line, &rest);
		if (!sv_starts(line, SV("-- "))) {
			str_add(&content, line);
			str_add1(&content, '\n');
			continue;
		}
		if (path.n)
			vfs_memory_add(v, str_c(&path), str_sv(&content));
		str_cut(&path, 0);
		str_cut(&content, 0);
		str_add(&path, sv_drop(line, 3));
	}
	if (path.n)
		vfs_memory_add(v, str_c(&path), str_sv(&content));
	return v;
}
