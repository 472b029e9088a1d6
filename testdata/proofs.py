#!/usr/bin/env python3
"""Checks an agency's file of proofs against its file of bets, by docs/FORMATS.md alone.

    proofs.py PROOFS BETS KEYS
"""
import sys

from check import *
from vectors import salt_key, salt_of

def typed(number, stake, prizes="1"):
    """The play of a bet line of the game quiniela: the number has the digits with which it is written."""
    pesos, _, decimals = stake.partition(".")
    first, _, last = prizes.partition("-")
    return len(number), int(first), int(last or first), int(number), int(pesos) * 100 + int((decimals + "00")[:2])

def main(path, bets, keys):
    head, note, *lines = read(path).decode().removesuffix("\n").split("\n")
    form, draw, agency, *game = head.split("|")
    need(form == "quiniela/v2/proofs" and re.fullmatch(NUMBER, agency) and (not game or re.fullmatch(GAME, game[0]) and not game[1:]), "no file of proofs")
    at, bets, draws = checkpoint(unb64(note).decode(), read_keys(keys)), read(bets).decode().splitlines(), set()
    for n, line in enumerate(lines):
        index, entry, secret, path = line.split("|")
        entry, secret, path = unb64(entry), unb64(secret), unb64(path)
        need(re.fullmatch(NUMBER, index) and len(secret) == 32 and len(path) % 32 == 0, "a proof's line")
        logged({"entry": entry, "index": int(index), "path": split(path, 32)}, at)
        e, key, records = batch_entry(entry), salt_key(secret), b""
        draws.add(e["draw"])
        need((e["agency"], e["batch"], len(draws)) == (int(agency), n + 1, 1) and e["count"] <= len(bets), f"batch {n + 1} of the agency")
        for i in range(e["count"]):
            *who, wanted = bets.pop(0).split(",", 4)
            records += play(*(typed(*wanted.split(",")) if game else (4, 1, 1, int(wanted), 0))) + commitment(salt_of(key, i), person(*who))
        need(batch_root(records) == e["root"], f"batch {n + 1} is not of these bets")
    need(not bets, "bets without a proof")
    print(f"ok: {len(lines)} batches of agency {agency} in draw {draw} are in the log, and are the bets of the file")

if __name__ == "__main__":
    run(main, *sys.argv[1:]) if len(sys.argv) == 4 else sys.exit(__doc__)
