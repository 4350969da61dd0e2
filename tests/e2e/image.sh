#!/usr/bin/env bash
# `cd image` without a server: build, list, import, remove, at once from several processes; mistakes have exit codes.
. "$(dirname "$0")/lib.sh"
isolate "$0" "$@"
setup
i() { local verb=$1; shift; "$cd_bin" image "$verb" --data-dir "$data" -q "$@"; }
context=$work/context
mkdir -p "$context"
cp /bin/busybox "$context/"
cat >"$context/Containerfile" <<'EOF'
FROM scratch
COPY busybox /bin/sh
ARG VERSION=0
ENV VERSION=$VERSION
RUN echo "$VERSION" > /version
CMD ["/bin/sh", "-c", "cat /version"]
EOF

say "build prints name and digest; the same build again is the same image"
first=$(i build -t demo:v1 "$context")
[[ $first == "demo:v1 sha256:"* ]] || fail "$first"
expect "$first" i build -t demo:v1 "$context"
[ "$(i build -t demo:v2 --build-arg VERSION=2 "$context")" != "$first" ] || fail "another argument, the same image"

say "progress goes to stderr, the result to stdout"
"$cd_bin" image build --data-dir "$data" -t demo:v1 "$context" 2>"$work/progress" >/dev/null
grep -q '^STEP 5/6: RUN' "$work/progress" || fail "no progress: $(cat "$work/progress")"

say "ls as a table and as JSON"
has demo:v2 i ls
has '"name": "demo:v1"' i ls -o json

say "export by tar, import into another store"
tar -C "$data/images" -cf "$work/store.tar" oci-layout index.json blobs
has demo:v1 "$cd_bin" image import --data-dir "$work/other" "$work/store.tar"
has demo:v2 "$cd_bin" image ls --data-dir "$work/other"

say "six builds and removals at once"
builds=()
for n in 1 2 3 4 5 6; do
	(i build -t "many:$n" --no-cache --build-arg VERSION="$n" "$context" && i rm "many:$n") >/dev/null &
	builds+=($!)
done
for pid in "${builds[@]}"; do wait "$pid" || fail "a build beside others"; done
has demo:v1 i ls

say "mistakes"
code=0; i rm nothing:1 2>"$work/said" || code=$?
[ $code = 3 ] || fail "exit code $code for an image that is not there"
refuses 'not in the store' i rm nothing:1
printf 'FROM scratch\nCOPPY a b\n' >"$context/Containerfile"
refuses 'Containerfile:2: unknown instruction "COPPY" (did you mean COPY?)' i build -t x:1 "$context"
refuses 'name the image with -t' i build "$context"
refuses 'is neither an OCI layout' i import "$context"

say "pruning removes what earlier builds left"
layers() { find "$data/images/layers" -mindepth 1 -maxdepth 1 | wc -l; }
cat >"$context/Containerfile" <<'EOF'
FROM scratch AS build
COPY busybox /bin/sh
RUN echo wanted > /x; echo unwanted > /y
FROM scratch
COPY --from=build /x /x
EOF
i build -t staged:1 "$context" >/dev/null
before=$(layers)
i prune
[ "$(layers)" -lt "$before" ] || fail "$before layers before, $(layers) after"
has staged:1 i ls
i rm staged:1

say "removing everything leaves an empty store"
i rm demo:v1 demo:v2
[ -z "$(find "$data/images/blobs" "$data/images/layers" "$data/images/tmp" -mindepth 1 -name '[0-9a-f]*' ! -name sha256)" ] ||
	fail "left: $(find "$data/images" -mindepth 2)"
[ ! -e /sys/fs/cgroup/memory/cd-build ] || fail "a control group is left"
say passed
