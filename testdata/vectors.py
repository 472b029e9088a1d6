#!/usr/bin/env python3
"""Compares check.py, which was written from docs/FORMATS.md, with vectors.json. The beacon's BLS signatures are not checked."""
import base64, json, os, struct

from check import *
from primitives import aes256, public_key

def salt_key(secret): return mac(mac(bytes(32), secret), b"quiniela/v2/bet-salt\1")
def salt_of(key, i): return aes256(key, struct.pack(">12xI", i))

def main():
    v = json.loads(read(os.path.dirname(os.path.abspath(__file__)), "vectors.json"))
    q, b, f, k = v["quicknet"], v["batch"], v["forty_bets"], v["key"]
    signatures = {r["round"]: bytes.fromhex(r["signature"]) for r in q["rounds"]}
    need(all(sha(signatures[r["round"]]).hex() == r["randomness"] for r in q["rounds"]), "randomness")
    chain = struct.pack(">IQ", q["period"], q["genesis"]) + bytes.fromhex(q["public_key"] + q["group_hash"]) + q["id"].encode()
    need(sha(chain).hex() == q["chain_hash"] == QUICKNET, "the chain hash")
    need(all(time_of(r) >= at > time_of(r - 1) or r == 1 for at, r in q["first_round_at_or_after"]), "the round of a time")
    for d in v["draws"]:
        terms = signatures[d["round"]], bytes.fromhex(QUICKNET), d["round"], d["id"], bytes.fromhex(d["binding"])
        need([number(*terms, i + 1) for i in range(len(d["prizes"]))] == d["prizes"], "prizes")
        need(all(block(*terms, 1, c).hex() == want for c, want in enumerate(d.get("blocks_of_prize_1", []))), "a block")
    key, records = salt_key(bytes.fromhex(b["secret"])), b""
    need(key.hex() == b["salt_key"], "the key of the salts")
    for i, bet in enumerate(b["bets"]):
        salt, who = salt_of(key, i), person(bet["first_name"], bet["last_name"], bet["document"], bet["birthdate"])
        records += play(bet["digits"], bet["from"], bet["to"], bet["number"], bet["stake"]) + commitment(salt, who)
        need([salt.hex(), who.hex(), records[-48:].hex()] == [bet["salt"], bet["person"], bet["record"]], f"bet {i}")
        need(bet.get("commitment", records[-32:].hex()) == records[-32:].hex(), f"the commitment of bet {i}")
    need(batch_root(records).hex() == b["root"], "the root of two bets")
    who = bytes.fromhex(b["bets"][0]["person"])
    forty = b"".join(play(4, 1, 1, i, 0) + commitment(salt_of(key, i), who) for i in range(40))
    pages = split(forty, 16 * 48)
    need(all(leaf(pages[int(n)]).hex() == want for n, want in f["pages"].items()) and batch_root(forty).hex() == f["root"], "forty bets")
    e = batch_entry(bytes.fromhex(f["entry"]))
    need((e["draw"], e["agency"], e["batch"], e["received"], e["count"]) == (f["draw"], f["agency"], f["batch"], f["received"], 40), "the entry")
    need(e["root"] == batch_root(forty) and leaf(bytes.fromhex(f["entry"])).hex() == f["leaf"], "the entry's root and leaf")
    public = b"\1" + public_key(bytes.fromhex(k["seed"]))
    need(f"{k['origin']}+{key_id(k['origin'], public).hex()}+{base64.b64encode(public).decode()}" == k["verifier"], "the verifier key")
    print("ok: all vectors but the BLS signatures")

if __name__ == "__main__":
    run(main)
