#!/usr/bin/env python3
"""Checks that two signed statements of a log exclude each other, by docs/FORMATS.md alone.

    evidence.py EVIDENCE KEYS
"""
import sys

from check import *

SHOWN = dict(checkpoint=str, leaf=bytes, path=list)
KINDS = {"two logs": dict(size=int), "a batch after the seal": dict(seal=LOGGED, batch=LOGGED)}

def root_at(size, shown, at):
    if size == at["size"]:
        return at["root"]
    whole, after = follow(shown["path"], at["size"], size - 1, shown["leaf"])
    need(whole == at["root"], "the path of a leaf")
    return after

def main(path, keys):
    data, keys = read(path), read_keys(keys)
    kind = json.loads(data)["kind"]
    SHAPES["evidence"] = dict(format=str, kind=str, first=SHOWN, second=SHOWN, **KINDS[kind])
    e = document("evidence", data)
    first, second = (checkpoint(e[name]["checkpoint"], keys) for name in ("first", "second"))
    if kind == "two logs":
        need(e["size"] > 0 and root_at(e["size"], e["first"], first) != root_at(e["size"], e["second"], second), "both are of one log")
    else:
        seal, batch = text_entry("seal", e["seal"]["entry"]), batch_entry(e["batch"]["entry"])
        logged(e["seal"], first), logged(e["batch"], second)
        need(seal["draw"] == batch["draw"] and e["batch"]["index"] > e["seal"]["index"], "both may be")
    print(f"ok: {kind}: the log {keys[0][0]} has signed two statements that exclude each other")

if __name__ == "__main__":
    run(main, *sys.argv[1:]) if len(sys.argv) == 3 else sys.exit(__doc__)
