#include "orchestrator/api/http-internal.h"

bool serve_openapi(struct api *a, struct http_request *rq, const char *path)
{
	(void)a;
	(void)rq;
	(void)path;
	return false;
}
