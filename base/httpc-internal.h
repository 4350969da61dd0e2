/* base/httpc-internal.h - what the two ways to use curl share. */
#pragma once

#include <curl/curl.h>
#include "base/httpc.h"

void httpc_set_tls(CURL *e, const struct httpc_request *rq);
/* The error of a request; no path, which may hold secrets. reason: curl's own words, or "". */
int httpc_failed(CURLcode result, const char *reason, const char *url, struct err *err);
