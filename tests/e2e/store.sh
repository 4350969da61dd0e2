#!/usr/bin/env bash
# The store on the disk: what is encrypted there.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
c() { "$cd_bin" "$@"; }
on_disk() { { grep -lF "$1" "$data"/store.db* 2>/dev/null || true; } | wc -l; }      # TEXT: how many files of the store hold it
config() { # PROVIDERS
	printf 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- {resources: [secrets], providers: [%s]}\n' "$1" \
		>"$work/encryption.yaml"
}
key() { printf '{name: %s, secret: %s}' "$1" "$(printf '%s0123456789abcdef0123456789abcd' "$1" | head -c 32 | base64)"; }
value() { c get secret hidden -o jsonpath='{.data.password}' | base64 -d; }
word=correcthorsebatterystaple
encoded=$(printf %s $word | base64)

say "as it is without keys"
serve --no-node
c apply -f - <<YAML
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {password: $word}
YAML
stop_server
expect 1 on_disk "$encoded"

say "with a key, it is gone from the disk"
config "{aesgcm: {keys: [$(key k1)]}}, {identity: {}}"
serve --no-node --encryption-provider-config "$work/encryption.yaml"
expect $word value
c create namespace more
stop_server
expect 0 on_disk "$encoded"
has 'encrypted again' cat "$work/serve.log"

say "the key is changed, and the old one forgotten"
config "{aesgcm: {keys: [$(key k2), $(key k1)]}}"
serve --no-node --encryption-provider-config "$work/encryption.yaml"
expect $word value
stop_server
config "{aesgcm: {keys: [$(key k2)]}}"
serve --no-node --encryption-provider-config "$work/encryption.yaml"
expect $word value
stop_server
config "{aesgcm: {keys: [$(key k1)]}}"
refuses 'key "k2"' "$cd_bin" serve --data-dir "$data" --no-node --encryption-provider-config "$work/encryption.yaml"
say passed
