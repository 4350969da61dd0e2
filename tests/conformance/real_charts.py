"""real_charts.py BINARY HELM DIRECTORY: every chart below the directory, by its defaults and by each ci/*-values.yaml, document by
document beside Helm. What Helm itself does not give twice (passwords, keys, what is made of them) is not compared."""
import os
import subprocess
import sys

import yaml

KUBE_VERSION = "1.30.0"


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Plain scalars stay texts: both sides were written by the same templates."""


Loader.yaml_implicit_resolvers = {}
Loader.add_multi_constructor("!", lambda loader, tag, node: None)


def charts(top):
    for path, dirs, files in os.walk(top):
        if "Chart.yaml" in files:
            dirs[:] = []        # the charts in it are its own
            yield path


def cases(top):
    for path in sorted(charts(top)):
        yield path, []
        ci = os.path.join(path, "ci")
        for name in sorted(os.listdir(ci)) if os.path.isdir(ci) else []:
            if name.endswith("values.yaml"):
                yield path, ["-f", os.path.join(ci, name)]


def run(cmd):
    try:
        done = subprocess.run(cmd, capture_output=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return None, "no answer in 300 s"
    text = done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
    return text, done.stderr.decode("utf-8", "replace").strip()


def documents(text):
    """{(apiVersion, kind, namespace, name, which of them): object}, in order."""
    found, seen = {}, {}
    for part in ("\n" + text).split("\n---"):
        try:
            doc = yaml.load(part, Loader=Loader)
        except yaml.YAMLError:
            doc = part
        if not doc:
            continue
        meta = doc.get("metadata") if isinstance(doc, dict) and isinstance(doc.get("metadata"), dict) else {}
        key = tuple(str(x) for x in (doc.get("apiVersion"), doc.get("kind"), meta.get("namespace"), meta.get("name"))) \
            if isinstance(doc, dict) else ("text",)
        seen[key] = seen.get(key, 0) + 1
        found[key + (seen[key],)] = doc
    return found


def differences(a, b, path, out):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in list(a) + [k for k in b if k not in a]:
            if key in a and key in b:
                differences(a[key], b[key], path + (key,), out)
            else:
                out[path + (key,)] = "only here" if key in a else "only there"
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            differences(x, y, path + (i,), out)
    elif a != b:
        out[path] = "%.80r and %.80r" % (a, b)
    return out


def judge(binary, helm, path, values):
    """(None, "") for the same, (True, why) for a difference, (False, why) when Helm renders it not."""
    theirs = [helm, "template", "release-name", path, "--kube-version", KUBE_VERSION] + values
    first, why = run(theirs)
    ours, our_why = run([binary, "render", path, "--kube-version", KUBE_VERSION] + values)
    if first is None:
        return False, "helm: " + why[-200:] + ("" if ours is None else "; and cd renders it")
    if ours is None:
        return True, our_why[:300]
    second, _ = run(theirs)
    want = documents(first)
    changing = differences(want, documents(second or ""), (), {})
    found = {k: v for k, v in differences(want, documents(ours), (), {}).items()
             if not any(k[:len(c)] == c or c[:len(k)] == k for c in changing)}
    if changing:        # objects whose names are random are missing on each side
        found = {k: v for k, v in found.items() if len(k) > 1}
    for key, what in found.items():
        return True, "%s: %s" % (".".join(str(x) for x in key), what)
    return None, ""


def main():
    binary, helm, top = sys.argv[1:4]
    same = total = refused = 0
    for path, values in cases(top):
        name = os.path.relpath(path, top) + (" " + os.path.basename(values[1]) if values else "")
        differs, why = judge(binary, helm, path, values)
        if differs is False:
            refused += 1
            continue
        total += 1
        same += differs is None
        if differs:
            print("DIFFERS %s: %s" % (name, why.replace("\n", " / ")), flush=True)
    print("%d more are refused by helm" % refused)
    print("real charts: %d/%d identical" % (same, total))


main()
