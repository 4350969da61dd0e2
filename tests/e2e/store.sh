#!/usr/bin/env bash
# The store on the disk: what is encrypted there, backups, and a server that begins again from one.
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

say "a backup of a running server"
config "{aesgcm: {keys: [$(key k2)]}}"
serve --no-node --encryption-provider-config "$work/encryption.yaml"
c create namespace before
token=$(cat "$data/pki/admin.token")
while :; do c annotate namespace before "n=$RANDOM" --overwrite >/dev/null 2>&1 || break; done &
writer=$!
has 'objects at revision' c backup --data-dir "$data" "$work/one.cd"
has 'good:' c backup --check "$work/one.cd"
has 'good:' c backup --check --data-dir "$data"
refuses exists c backup --data-dir "$data" "$work/one.cd"
kill $writer; wait $writer 2>/dev/null || true
c create namespace after
refuses 'in use' c restore --data-dir "$data" "$work/one.cd"
expect 0 eval '{ grep -cF "$encoded" "$work/one.cd" || true; }'

say "everything is lost, but the backup"
stop_server KILL
cp "$data/admin.kubeconfig" "$work/old.kubeconfig"
rm -rf "$data"
has 'restored:' c restore --data-dir "$data" "$work/one.cd"
serve --no-node --encryption-provider-config "$work/encryption.yaml"
expect $word value
c get namespace before
refuses 'not found' c get namespace after
expect "$token" cat "$data/pki/admin.token"
KUBECONFIG=$work/old.kubeconfig c get namespace before
c create namespace later
stop_server
refuses 'exists' c restore --data-dir "$data" "$work/one.cd"
c restore --data-dir "$data" --force "$work/one.cd"
serve --no-node --encryption-provider-config "$work/encryption.yaml"
refuses 'not found' c get namespace later

say "a damaged one is refused"
cp "$work/one.cd" "$work/two.cd"
python3 - "$work/two.cd" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[b.index(b'"kind":"Namespace"') + 9] ^= 1
open(sys.argv[1], "wb").write(b)
PY
refuses 'damaged' c backup --check "$work/two.cd"
stop_server
refuses 'damaged' c restore --data-dir "$data" --force "$work/two.cd"
serve --no-node --encryption-provider-config "$work/encryption.yaml"
expect $word value
say passed
