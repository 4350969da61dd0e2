#!/usr/bin/env python3
"""Compares the shares of a Rollout's Services in the kernel with what its status says.

    kernel-weights.py ROLLOUT.json PODS.json RULESET.json

The files are `cd get rollout NAME -o json`, `cd get pods -o json` and `nft -j list ruleset`. Exit 1 with the difference.
"""
import collections, json, sys

SLOTS = 1000000
rollout, pods, rules = (json.load(open(path)) for path in sys.argv[1:4])
hash_of = {
    p["status"].get("podIP"): p["metadata"]["labels"].get("rollouts-pod-template-hash")
    for p in pods["items"]
    if p.get("status")
}
maps = {r["map"]["name"]: r["map"].get("elem", []) for r in rules["nftables"] if "map" in r}


def in_kernel(service):
    """Slots of each version, and how many backends there are."""
    got = collections.Counter()
    elements = next((e for name, e in maps.items() if name.startswith(f"svc/default/{service}/")), [])
    for key, value in elements:
        first, last = key["range"] if isinstance(key, dict) else (key, key)
        ip = value["concat"][0]
        got[hash_of.get(ip, f"no pod has {ip}")] += last - first + 1
    return got, len(elements)


def wanted():
    """(Service, slots of each version) by the status."""
    strategy, status = rollout["spec"]["strategy"], rollout["status"]
    if "canary" in strategy:
        routing, weights = strategy["canary"]["trafficRouting"], status["canary"]["weights"]
        most = routing.get("maxTrafficWeight", 100)
        want = collections.Counter()
        for part in (weights["canary"], weights["stable"]):
            want[part["podTemplateHash"]] += part["weight"] * SLOTS // most
        yield routing["native"]["service"], want
    else:
        fields = [("activeService", "activeSelector"), ("previewService", "previewSelector")]
        if status.get("abort"):
            fields.pop()  # the preview ends some time after an abort
        for field, selector in fields:
            yield strategy["blueGreen"][field], collections.Counter({status["blueGreen"][selector]: SLOTS})


for service, want in wanted():
    got, backends = in_kernel(service)
    for version in set(got) | set(want):
        if abs(got[version] - want[version]) > backends:  # each backend's share is rounded
            sys.exit(f"service {service}: the kernel has {dict(got)}, the status says {dict(want)}")
