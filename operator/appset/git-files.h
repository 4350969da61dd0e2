/* operator/appset/git-files.h - directories and files of a commit as parameters. Runs on a job's thread. */
#pragma once

#include "operator/git/repo.h"
#include "base/doc.h"

struct git_files_job {
	const struct node *spec;        /* the git generator: directories[] or files[], each {path, exclude}; pathParamPrefix */
	const char *dir;                /* object database */
	char sha[REVISION_SIZE];
	bool go_template;
	struct doc *found;              /* out: a sequence of parameter maps, owned by the caller */
	struct err err;                 /* out */
};

void git_files_run(void *job);
