"""seed_labs.py BINARY CORPUS: renders the kustomize and helm entries of the corpus and compares the objects with its index."""
import hashlib
import json
import os
import re
import subprocess
import sys

import yaml


class Loader(yaml.CSafeLoader):
    """YAML 1.1 as Kubernetes' tools read it: dates and sexagesimal numbers are texts, the last of equal keys wins."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, rx) for tag, rx in rows if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int")]
    for first, rows in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(0|[1-9][0-9_]*|0[0-7_]+|0x[0-9a-fA-F_]+)$"),
                             list("-+0123456789"))


def digest(obj):
    text = json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def identity(obj):
    meta = obj.get("metadata", {})
    return obj.get("apiVersion"), obj.get("kind"), meta.get("name"), meta.get("namespace")


def check(binary, corpus, entry):
    """None when the entry renders as expected, else what is wrong."""
    path = os.path.join(corpus, entry["path"], entry["render"])
    run = subprocess.run([binary, "render", path], capture_output=True, text=True, timeout=20)
    expect = entry["expect"]
    if "error" in expect:
        return None if run.returncode and run.stderr.strip() else "expected an error (%s)" % expect.get("error_kind")
    if run.returncode:
        return "exit status %d: %s" % (run.returncode, run.stderr.strip().splitlines()[-1:])
    got = {identity(o): o for o in yaml.load_all(run.stdout, Loader) if o}
    want = {identity({"apiVersion": o["apiVersion"], "kind": o["kind"],
                      "metadata": {"name": o["name"], "namespace": o["namespace"]}}): o.get("sha256") for o in expect["objects"]}
    if set(got) != set(want):
        return "missing %s, not expected %s" % (sorted(map(str, set(want) - set(got))), sorted(map(str, set(got) - set(want))))
    other = [key for key, sha in want.items() if sha and digest(got[key]) != sha]
    return "other content: %s" % other if other else None


def check_variant(binary, path, variant):
    sets = [arg for key, value in variant.get("set", {}).items() for arg in ("--set", "%s=%s" % (key, json.dumps(value)))]
    run = subprocess.run([binary, "render", path, "--name", variant["release"], "-n", variant["namespace"], "--include-crds"] + sets,
                         capture_output=True, text=True, timeout=20)
    if run.returncode:
        return "exit status %d: %s" % (run.returncode, run.stderr.strip().splitlines()[-1:])
    got = sorted(map(str, map(identity, filter(None, yaml.load_all(run.stdout, Loader)))))
    want = sorted(str((o["apiVersion"], o["kind"], o["name"], o["namespace"])) for o in variant["objects"])
    return None if got == want else "want %s, got %s" % (want, got)


def check_helm(binary, corpus, entry):
    """Kinds and names of each variant; None when all are as expected."""
    path = os.path.join(corpus, entry["path"], entry["render"])
    return next(filter(None, (check_variant(binary, path, v) for v in entry["expect"]["variants"])), None)


def run_type(binary, corpus, index, kind, check_one):
    entries = [e for e in index if e["type"] == kind and "render" in e]
    passed = 0
    for entry in entries:
        why = check_one(binary, corpus, entry)
        passed += why is None
        if why:
            print("FAILED %s: %s" % (entry["name"], why))
    print("seed-labs %s: %d/%d" % (kind, passed, len(entries)))


def main():
    binary, corpus = sys.argv[1:3]
    with open(os.path.join(corpus, "index.json"), encoding="utf-8") as f:
        index = json.load(f)
    index = index if isinstance(index, list) else index["entries"]
    run_type(binary, corpus, index, "kustomize", check)
    run_type(binary, corpus, index, "helm", check_helm)


main()
