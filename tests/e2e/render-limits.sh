#!/usr/bin/env bash
# Whatever a megabyte of input holds, a render ends, with an output or an error, and takes no more than 256 MB.
set -euo pipefail
source_dir=${CD_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
cd_bin=${CD_BIN:-$source_dir/build/bin/cd}
[ -x "$cd_bin" ] || { echo "no program at $cd_bin: build first" >&2; exit 1; }
work=$(mktemp -d /tmp/cd-test.XXXXXX)
trap 'rm -rf "$work"' EXIT
sanitizers=
! grep -q __asan_init "$cd_bin" || sanitizers=yes

cd "$work"
python3 - "$cd_bin" "$sanitizers" <<'PY'
import os, resource, sys

CD, SANITIZERS = sys.argv[1:3]
CPU_S = 60                      # who takes that long does not end: far above what is promised, for slow machines
MEMORY = 256 << 20
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
TAKE = "resources: [a.yaml]\n"


def many(n, form):
    return "---\n".join(form % i for i in range(n))


def patches(n, form):
    return TAKE + "patches:\n" + "".join("- " + (form % i if "%d" in form else form) + "\n" for i in range(n))


MAPS = many(5000, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a%d}}\n")
KEYS = MAP + "data: {" + ",".join('%x: ""' % i for i in range(10000)) + "}\n"
CASES = {                       # name: what a.yaml holds, what the kustomization does with it
    "nested brackets": (MAP + "data: " + "[" * 990000, TAKE),
    "a list of mappings": (MAP + "x: [" + "{}," * 330000 + "{}]\n", TAKE),
    "a list of scalars": (MAP + "x: [" + "a," * 490000 + "a]\n", TAKE),
    "a mapping of keys": (MAP + "data: {" + ",".join('%x: ""' % i for i in range(100000)) + "}\n", TAKE + "namePrefix: x-\n"),
    "aliases of a list": (MAP + "a: &a [" + "x," * 1000 + "]\nb: [" + "*a," * 300000 + "]\n", TAKE),
    "aliases of a text": (MAP + "a: &a " + "x" * 1000 + "\nb: [" + "*a," * 300000 + "]\n", TAKE),
    "merge keys": (MAP + "a0: &a0 {x: 1}\n" + "".join("a%d: &a%d {<<: *a%d, k%d: 1}\n" % (i, i, i - 1, i) for i in range(1, 20000)), TAKE),
    "objects": (many(17000, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a%d}}\n"),
                TAKE + "namePrefix: x-\nnamespace: apart\ncommonLabels: {a: b}\n"),
    "JSON patches of all objects": (MAPS, patches(7000, '{target: {name: "a.*"}, patch: "[{\\"op\\":\\"add\\",\\"path\\":\\"/data\\",\\"value\\":{}}]"}')),
    "merge patches of all objects": (MAPS, patches(5000, '{target: {kind: ConfigMap}, patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}"}')),
    "merge patches of one object": (KEYS, patches(10000, '{patch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k%d: v}}"}')),
    "expressions that backtrack": (MAPS.replace("name: a", "name: " + "a" * 30), patches(10000, '{target: {name: "(a|a?)+%d$"}, patch: "[]"}')),
    "images as expressions": (many(4000, "{apiVersion: v1, kind: Pod, metadata: {name: p%d}, spec: {containers: [{image: " + "a" * 40 + "}]}}\n"),
                              TAKE + "images:\n" + "".join('- {name: "(a|a?)+%d", newTag: x}\n' % i for i in range(15000))),
    "ports": ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [" + ",".join("{port: %d, protocol: TCP}" % i for i in range(30000)) + "]}\n",
              patches(1, '{patch: "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1, protocol: TCP}]}}"}')),
    "a large variable": (MAP + 'data: {k: "' + "x" * 300000 + '", z: "' + "$(V)" * 100000 + '"}\n',
                         TAKE + "configurations: [a.yaml]\n".replace("a.yaml", "refs.yaml") +
                         "vars: [{name: V, objref: {apiVersion: v1, kind: ConfigMap, name: a}, fieldref: {fieldpath: data.k}}]\n"),
    "replacements everywhere": (MAP + "---\n{kind: X, metadata: {name: x}, x: [" + ",".join(["[[a,a,a,a],[a,a]]"] * 20000) + "]}\n",
                                TAKE + "replacements:\n- {source: {kind: ConfigMap, name: a}, targets: [{select: {kind: X}, fieldPaths: [" +
                                ",".join(['x.*.*.*'] * 20000) + "]}]}\n"),
    "generators": (MAP, "configMapGenerator:\n" + "".join("- {name: g%d, literals: [a=b]}\n" % i for i in range(28000))),
    "one file in many generators": ("x" * 900000, "configMapGenerator:\n" + "".join("- {name: g%d, files: [a.yaml]}\n" % i for i in range(1000))),
    "a directory that is its own base": (MAP, "resources: [., a.yaml]\n"),
}


def render(name):
    """Status and memory of one render."""
    pid = os.fork()
    if not pid:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        out = os.open("out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(os.open("err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os.execv(CD, [CD, "render", name])
    _, status, used = os.wait4(pid, 0)
    return status, used.ru_maxrss << 10


failed = 0
for name, (content, kustomization) in CASES.items():
    os.mkdir(name)
    for file, text in (("a.yaml", content), ("kustomization.yaml", kustomization), ("refs.yaml", "varReference: [{path: data}]\n")):
        with open(os.path.join(name, file), "w", encoding="utf-8") as f:
            f.write(text)
    status, memory = render(name)
    good = os.WIFEXITED(status) and os.WEXITSTATUS(status) in (0, 1, 3) and (SANITIZERS or memory <= MEMORY)
    said = open("err", encoding="utf-8", errors="replace").read().strip()[-160:]
    print("%-34s %4d MB  %s  %s" % (name, memory >> 20, "ended" if good else "FAILED: status %#x" % status, said))
    failed += not good
sys.exit(1 if failed else 0)
PY
echo passed
