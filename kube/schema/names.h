/* kube/schema/names.h - what names, labels and keys may look like. Each returns NULL, or what is wrong in Kubernetes' words. */
#pragma once

#include "base/str.h"

const char *name_dns_label(struct sv s);                /* "web-1": a container, a namespace */
const char *name_dns_1035(struct sv s);                 /* the same, starting with a letter: a Service */
const char *name_dns_subdomain(struct sv s);            /* "web.example.com": most objects */
const char *name_path_segment(struct sv s);             /* anything that fits into a URL: roles */
const char *name_qualified(struct sv s);                /* "example.com/name": keys of labels and annotations */
const char *name_label_value(struct sv s);
const char *name_env_var(struct sv s);
const char *name_config_key(struct sv s);               /* keys of ConfigMaps and Secrets */
const char *name_port(struct sv s);                     /* "http" */
