#!/usr/bin/env python3
"""Checks what a lottery publishes, by docs/FORMATS.md alone: it is the test of that document.

    check.py receipt RECEIPT OUTCOME KEYS [FOLDER]
    check.py folder FOLDER KEYS

RECEIPT is a file, or an address with the receipt in it. KEYS has verifier keys, one a line: the log's, and then those of witnesses, all of
whom must have cosigned what is final.
The beacon's BLS signature is not checked: the signature in the result is taken for that of the round.
"""
import base64, hashlib, hmac, json, os, re, struct, sys, zlib

from primitives import verify

def need(right, what):
    if not right:
        raise ValueError(what)
def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()
def linked(address):
    """The receipt in the address of a page that checks it."""
    digits = address.split("#r=")[1]
    need(re.fullmatch("[1-9][0-9]{0,7088}", digits), "the digits of a receipt")
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(7089)
    number = int(digits)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    need(data[0] == 1, "the digits of a receipt")
    try:
        return zlib.decompress(data[1:], -15)
    except zlib.error:
        raise ValueError("the digits of a receipt")

def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def mac(key, message): return hmac.new(key, message, hashlib.sha256).digest()
def split(data, size): return [data[i:i + size] for i in range(0, len(data), size)]
def unb64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 in another form")
    return data

# Trees
def leaf(entry): return sha(b"\0", entry)
def node(left, right): return sha(b"\1", left, right)
def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:k]), root(leaves[k:]))

def follow(path, n, i, r):
    """The root of n leaves to which a path leads from leaf hash r at index i, and the root after it: of the first i+1."""
    need(i < n, f"index {i} of {n}")
    fn, sn, after = i, n - 1, r
    for p in path:
        need(sn > 0, "a path that is too long")
        if fn & 1 or fn == sn:
            r, after = node(p, r), node(p, after)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "a path that is too short")
    return r, after

# Signed checkpoints
def key_id(name, public): return sha(name.encode(), b"\n", public)[:4]
def read_keys(path):
    keys = []
    for line in read(path).decode().split():
        name, short, data = line.split("+", 2)
        keys.append((name, unb64(data)))
        need(key_id(*keys[-1]).hex() == short and len(keys[-1][1]) == 33 and keys[-1][1][0] == (4 if keys[1:] else 1), "a verifier key")
    return keys

def checkpoint(note, keys, final=False):
    """What the log of the first key has signed, and when witnesses cosigned it: all of them, where it is final."""
    text, gap, lines = note.rpartition("\n\n")
    text, found, seen = text + "\n", {}, []
    need(gap and lines.endswith("\n"), "no signed note")
    for line in lines[:-1].split("\n"):
        dash, name, data = line.split(" ")
        signed = name, unb64(data)[:4]
        need(dash == "—" and signed not in found, "a signature's line")
        found[signed] = unb64(data)[4:]
    origin, size, data, end = text.split("\n")
    need(re.fullmatch(NUMBER, size) and len(unb64(data)) == 32 and end == "" and origin == keys[0][0], "a checkpoint of this log")
    for i, (name, public) in enumerate(keys):
        signature, message = found.get((name, key_id(name, public))), text.encode()
        need(signature or i and not final, f"{name} has not signed")
        if i and signature:
            seen.append(int.from_bytes(signature[:8], "big"))
            signature, message = signature[8:], b"cosignature/v1\ntime %d\n" % seen[-1] + message
        if signature:
            need(verify(public[1:], message, signature), f"the signature of {name}")
    return {"size": int(size), "root": unb64(data), "seen": seen}

# Bets and entries
def commitment(salt, who): return sha(b"\x10", salt, who)
def play(digits, first, last, number, stake):
    return struct.pack(">BBBBBH3xHI", 2, 0, digits, first, last, number, stake >> 32, stake % 2**32)
def number_of(record): return int.from_bytes(record[5:7], "big")
def play_of(record):
    """The digits, the first and last prize, the number and the stake of a record's play."""
    digits, first, last, number, high, low = struct.unpack(">2xBBBH3xHI", record[:16])
    return digits, first, last, number, high << 32 | low
def batch_root(records): return root([leaf(page) for page in split(records, 16 * 48)])

def person(first, last, document, birthdate):
    need(re.fullmatch("[0-9]{1,9}", document) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", birthdate), "a document or birthdate")
    first, last, born = first.encode(), last.encode(), map(int, birthdate.split("-"))
    return struct.pack(">BIHBBB", len(document), int(document), *born, len(first)) + first + last
def check_record(record, game=None):
    """A record's play, which the draw's game has, where it is known. The game `specified` has one play for each number."""
    digits, first, last, number, stake = play_of(record)
    need(len(record) == 48 and record[:16] == play(digits, first, last, number, stake), "a record's play")
    need(1 <= digits <= 4 and number < 10**digits and 1 <= first <= last <= 20, "a record's play")
    if game == "specified":
        need((digits, first, last, stake) == (4, 1, 1, 0), "a play that the game does not have")
    elif game:
        least, most = terms_of(game)[1:3]
        need(least <= stake <= most, "a stake that the terms do not have")

# The game quiniela
PESOS = "(?:0|[1-9][0-9]*)[.][0-9]{2}"
MILLION = "(?:[1-9][0-9]{0,5}|1000000)"
GAME = f"quiniela multipliers=({MILLION}(?:,{MILLION}){{3}}) min_stake=({PESOS}) max_stake=({PESOS}|-) cap=({MILLION}|-)"

def terms_of(game):
    """The multipliers, the least and the greatest stake in cents, and the cap, 0 where there is none."""
    multipliers, least, most, cap = re.fullmatch(GAME, game).groups()
    least, most = (int(pesos.replace(".", "")) if pesos != "-" else 2**48 - 1 for pesos in (least, most))
    need(1 <= least <= most < 2**48, "the stakes of the terms")
    return [int(m) for m in multipliers.split(",")], least, most, 0 if cap == "-" else int(cap)

def prize(record, game, result):
    """What a record's play is due, in cents and before the cap; None where it does not hit."""
    digits, first, last, number, stake = play_of(record)
    if game == "specified":
        return 0 if number == int(result["number"]) else None
    hits = sum(int(n) % 10**digits == number for n in result["prizes"].split(" ")[first - 1:last])
    return stake * terms_of(game)[0][digits - 1] * hits // (last - first + 1) if hits else None
def paid(prize, result): return prize * result["pool"] // result["due"] if result["pool"] < result["due"] else prize

def check_share(opened, seal, result):
    """The share of a result, as far as the draw's three entries say it."""
    cap, pool = terms_of(opened["game"])[3], result["due"]
    need(result["staked"] == seal["stake"], "what was staked")
    need(result["pool"] == (min(pool, cap * result["staked"]) if cap else pool) and result["paid"] <= result["pool"], "how much is paid at most")

def check_payout(game, seal, result, prizes):
    """The sums of a result, with what each agency's winning bets are due."""
    multipliers, _, _, cap = terms_of(game)
    staked, due = seal["stake"], sum(map(sum, prizes.values()))
    need(staked <= (2**63 - 1) // max(*multipliers, cap), "what was staked")
    need(result["due"] == due, "the sum of the prizes")
    need(result["paid"] == sum(paid(p, result) for all in prizes.values() for p in all), "what is paid")

NUMBER, HASH = "0|[1-9][0-9]*", "[0-9a-f]{64}"
FORMS = {"id": ".{1,255}", "game": "specified|" + GAME, "close": NUMBER + "|-", "source": "fixed|beacon|notary", "number": "[0-9]{4}|-",
         "chain": HASH + "|-", "round": NUMBER + "|-", "totals": HASH, "by": "agencies|time|operator", "note": ".{1,800}", "prizes": "[0-9]{4}( [0-9]{4}){19}|-",
         "evidence": "([0-9a-f]{2})+|-"}
NAMES = {"draw-open": "draw id game agencies opened close source number chain round",
         "seal": "draw open batches bets stake agencies totals missing by note sealed",
         "result": "draw open seal source number prizes evidence winners drawn",
         "result of the game quiniela": "draw open seal source number prizes evidence winners staked due pool paid drawn"}

def text_entry(kind, data, game="specified"):
    lines, found = data.decode().split("\n"), {}
    names = NAMES[kind + (" of the game quiniela" if kind == "result" and game != "specified" else "")].split()
    need(lines[0] == "quiniela/v2/" + kind and lines[-1] == "" and len(lines) == len(names) + 2, f"no {kind} entry")
    for line, name in zip(lines[1:], names):
        have, _, value = line.partition(" ")
        form = FORMS.get(name, NUMBER)
        need(have == name and re.fullmatch(form, value), f"{kind}: {line}")
        found[name] = int(value) if form.startswith(NUMBER) and value != "-" else value
    return found

def batch_entry(data):
    need(len(data) == 92 and data[:4] == b"QNB2", "no batch entry")
    names = "draw agency batch count stake all_bets all_stake received root".split()
    e = dict(zip(names, struct.unpack(">4xQIQIQQQQ32s", data)))
    need(e["draw"] and e["batch"] and 0 < e["count"] <= e["all_bets"] and e["stake"] <= e["all_stake"], "a batch's figures")
    return e

def block(signature, chain, round_, name, binding, prize, c):
    info = b"quiniela/draw/v1\0" + chain + struct.pack(">QB", round_, len(name.encode())) + name.encode() + binding
    return mac(sha(signature), info + struct.pack(">HI", prize, c))
def number(*terms):
    words, c = [], 0
    while not words:
        words, c = [w for w in struct.unpack(">16H", block(*terms, c)) if w < 60000], c + 1
    return words[0] % 10000

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"

def time_of(round_): return 1692803367 + 3 * (round_ - 1)

# Documents
LOGGED = {"entry": bytes, "index": int, "path": list}
SHAPES = {"receipt": dict(format=str, draw=str, first_name=str, last_name=str, document=str, birthdate=str, salt=bytes, index=int, page=bytes,
                          path=list, batch=LOGGED, checkpoint=str),
          "outcome": dict(format=str, open=LOGGED, seal=LOGGED, result=LOGGED, checkpoint=str, sealed=str, sealed_path=list)}

def shaped(shape, value):
    if isinstance(shape, dict):
        need(type(value) is dict and list(value) == list(shape), f"other fields than {list(shape)}")
        return {name: shaped(shape[name], value[name]) for name in shape}
    if shape is list:
        need(type(value) is list and all(len(h) == 64 for h in value), "a list of hashes")
        return [shaped(bytes, h) for h in value]
    need(type(value) is (str if shape is bytes else shape), f"no {shape.__name__}: {value!r}")
    need(shape is not bytes or bytes.fromhex(value).hex() == value, f"no hexadecimal: {value!r}")
    return bytes.fromhex(value) if shape is bytes else value

def document(kind, data):
    value = json.loads(data)
    again = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    need(re.sub(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', r"\1", data.decode()) == again, "JSON in another form")
    found = shaped(SHAPES[kind], value)
    need(found["format"] == "quiniela/v2/" + kind and len(data) <= 262144, f"no {kind}")
    return found

def logged(e, at):
    """Checks a logged entry in a checkpoint's log, and returns the size and root after it."""
    whole, after = follow(e["path"], at["size"], e["index"], leaf(e["entry"]))
    need(whole == at["root"], f"the path of entry {e['index']}")
    return e["index"] + 1, after

def read_outcome(data, keys):
    """The draw's three entries, their indexes, and what the checkpoints say of the log: its root at some sizes."""
    o, names = document("outcome", data), ("open", "seal", "result")
    at, sealed = checkpoint(o["checkpoint"], keys, True), checkpoint(o["sealed"], keys, True)
    roots = dict([logged(o[name], at) for name in names] + [logged(dict(o["seal"], path=o["sealed_path"]), sealed)])
    need(roots.get(sealed["size"], sealed["root"]) == sealed["root"], "the two checkpoints are of two logs")
    roots.update({c["size"]: c["root"] for c in (at, sealed)})
    opened, seal = (text_entry(kind, o[name]["entry"]) for name, kind in (("open", "draw-open"), ("seal", "seal")))
    result = text_entry("result", o["result"]["entry"], opened["game"])
    first, end, last = places = [o[name]["index"] for name in names]
    need(first < end < last and opened["draw"] == seal["draw"] == result["draw"] and result["source"] == opened["source"], "entries of one draw")
    need(seal["open"] == result["open"] == first and result["seal"] == end, "the order of a draw's entries")
    need(opened["source"] != "fixed" or result["number"] == opened["number"], "the fixed number")
    if opened["game"] != "specified":
        need(opened["source"] != "fixed" and result["prizes"][:4] == result["number"], "the twenty numbers")
        check_share(opened, seal, result)
    if opened["source"] == "beacon":
        terms = bytes.fromhex(result["evidence"]), bytes.fromhex(opened["chain"]), opened["round"], opened["id"], leaf(o["open"]["entry"])
        twenty = [f"{number(*terms, prize):04d}" for prize in range(1, 21)]
        need(len(terms[0]) == 48 and result["prizes"] == " ".join(twenty) and result["number"] == twenty[0], "the numbers")
        public, ended = time_of(opened["round"]), max(opened["opened"], seal["sealed"], opened["close"])
        need(opened["chain"] == QUICKNET and ended < public * 10**6 and all(t < public for t in sealed["seen"]), "the time of the round")
    print(f"ok: draw {opened['id']} is in the log, with {len(sealed['seen'])} witnesses; {opened['source']} gives {result['number']}")
    return opened, seal, result, places, roots, o

def check_receipt(path, outcome, keys, folder=None):
    r, keys = document("receipt", linked(path) if "#r=" in path else read(path)), read_keys(keys)
    batch, i, at = batch_entry(r["batch"]["entry"]), r["index"], checkpoint(r["checkpoint"], keys)
    need(i < batch["count"] and len(r["page"]) == 48 * min(16, batch["count"] - i // 16 * 16), "the length of the page")
    record = r["page"][i % 16 * 48:][:48]
    check_record(record)
    who = person(r["first_name"], r["last_name"], r["document"], r["birthdate"])
    need(len(r["salt"]) == 16 and record[16:] == commitment(r["salt"], who), "the commitment")
    need(follow(r["path"], (batch["count"] + 15) // 16, i // 16, leaf(r["page"]))[0] == batch["root"], "the page's path")
    roots = dict([logged(r["batch"], at), (at["size"], at["root"])])
    print(f"ok: {r['first_name']} {r['last_name']} bet on {number_of(record):04d}: bet {i + 1} of batch {batch['batch']} of agency {batch['agency']}")
    opened, seal, result, places, sealed, _ = read_outcome(read(outcome), keys)
    need(batch["draw"] == seal["draw"] and r["draw"] == opened["id"], "the bet is of another draw")
    check_record(record, opened["game"])
    need(places[0] < r["batch"]["index"] < places[1], "the batch is not between the opening and the seal")
    if folder:
        sealed.update({size: root(read_leaves(folder, keys)[:size]) for size in roots})
    same = [size for size in roots if size in sealed]
    need(all(roots[size] == sealed[size] for size in same), "the receipt and the outcome are of two logs")
    need(any(size > r["batch"]["index"] for size in same), "nothing to compare the two logs by: give the folder")
    due = prize(record, opened["game"], result)
    print("ok: the bet is in the sealed log, and", "did not win" if due is None else "won" + (f", and is paid {paid(due, result)} cents" if "pool" in result else ""))

def tile(level, n, width):
    name = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        name = f"x{n % 1000:03d}/{name}"
    return f"tile/{level}/{name}" + (f".p/{width}" if width < 256 else "")

def read_leaves(folder, keys):
    """All leaf hashes, and each level's tiles, compared with the newest checkpoint."""
    at, level = checkpoint(read(folder, "checkpoint").decode(), keys), 0
    tiles = [(n, min(256, at["size"] - 256 * n)) for n in range((at["size"] + 255) // 256)]
    leaves = hashes = [h for n, width in tiles for h in split(read(folder, tile(0, n, width)), 32)]
    need(len(leaves) == at["size"] and root(leaves) == at["root"], "the leaves do not give the checkpoint's root")
    while hashes := [root(group) for group in split(hashes, 256) if len(group) == 256]:
        level += 1
        for n, group in enumerate(split(hashes, 256)):
            need(read(folder, tile(level, n, len(group))) == b"".join(group), tile(level, n, len(group)))
    return leaves

def check_folder(folder, keys):
    keys = read_keys(keys)
    leaves = read_leaves(folder, keys)
    print(f"ok: {len(leaves)} leaves and all tiles, by the checkpoint")
    entries = {}
    for n in range((len(leaves) + 255) // 256):
        path = os.path.join(folder, tile("entries", n, min(256, len(leaves) - 256 * n)))
        data, i = read(path) if os.path.exists(path) else b"", 256 * n
        while data:
            size = int.from_bytes(data[:2], "big")
            entries[i], data, i = data[2:][:size], data[2 + size:], i + 1
    need(all(leaves[i] == leaf(e) for i, e in entries.items()), "an entry is not the leaf of the tree")
    print(f"ok: {len(entries)} entries in bundles")
    for line in read(folder, "draws.txt").decode().splitlines():
        number, name = line.split(" ")
        if os.path.exists(os.path.join(folder, "draws", name, "outcome.json")):
            check_draw(os.path.join(folder, "draws", name), int(number), name, leaves, keys)
        else:
            need(leaf(read(folder, "draws", name, "open")) in leaves, f"the opening of {name}")
            print(f"not yet: draw {name} is not complete")

def check_draw(folder, number, name, leaves, keys):
    opened, seal, result, places, roots, o = read_outcome(read(folder, "outcome.json"), keys)
    need((opened["draw"], opened["id"]) == (number, name), "the outcome is of another draw")
    need(all(root(leaves[:size]) == roots[size] for size in roots), "the outcome is of another log")
    need(all(o[kind]["entry"] == read(folder, kind) for kind in ("open", "seal", "result")), "open, seal or result")
    need(read(folder, "sealed.checkpoint").decode() == o["sealed"], "sealed.checkpoint")
    if opened["source"] == "beacon":
        beacon = json.loads(read(folder, "beacon.json"))
        need(beacon["signature"] == result["evidence"] and beacon["round"] == opened["round"], "beacon.json")
    agencies, wins, last, n = {}, {}, places[0], 0
    while os.path.exists(os.path.join(folder, "batches", str(n))):
        data, n = read(folder, "batches", str(n)), n + 1
        while data:
            index, e = int.from_bytes(data[:8], "big"), batch_entry(data[8:100])
            need(last < index < places[1] and leaves[index] == leaf(data[8:100]) and e["draw"] == number, f"batch at {index}")
            records, data, last = split(data[100:][:48 * e["count"]], 48), data[100 + 48 * e["count"]:], index
            for record in records:
                check_record(record, opened["game"])
            staked = sum(play_of(record)[4] for record in records)
            need((len(records), batch_root(b"".join(records)), staked) == (e["count"], e["root"], e["stake"]), f"the records of the batch at {index}")
            total = agencies.setdefault(e["agency"], [0, 0, 0])
            total[:] = total[0] + 1, total[1] + e["count"], total[2] + e["stake"]
            need(total == [e["batch"], e["all_bets"], e["all_stake"]], f"the running totals of the batch at {index}")
            due = [prize(record, opened["game"], result) for record in records]
            wins.setdefault(e["agency"], []).extend(p for p in due if p is not None)
    lines = read(folder, "totals").decode().splitlines()
    for line in lines:
        agency, *total, word = line.split(" ")
        need([int(x) for x in total] == agencies.pop(int(agency), [0, 0, 0]), f"totals: {line}")
    need(not agencies, "an agency without a line in the totals")
    sums = [sum(int(line.split(" ")[k]) for line in lines) for k in (1, 2, 3)]
    need([len(lines), *sums] == [seal["agencies"], seal["batches"], seal["bets"], seal["stake"]], "the seal's figures")
    need(root([leaf(line.encode()) for line in lines]).hex() == seal["totals"], "the root of the totals")
    need(seal["missing"] == sum(line.endswith(" missing") for line in lines), "how many agencies are missing")
    money = lambda won: ""
    if opened["game"] != "specified":
        check_payout(opened["game"], seal, result, wins)
        money = lambda won: f" {sum(won)} {sum(paid(p, result) for p in won)}"
    text = "".join(f"{agency} {len(won)}{money(won)}\n" for agency, won in sorted(wins.items()) if won)
    need(read(folder, "winners").decode() == text and sum(map(len, wins.values())) == result["winners"], "winners")
    print(f"ok: draw {name}: {seal['bets']} records in {seal['batches']} batches, totals, {result['winners']} winners")

def run(command, *args):
    try:
        command(*args)
    except (ValueError, OSError, KeyError, TypeError, IndexError, AttributeError, OverflowError, struct.error) as error:
        sys.exit(f"WRONG: {error}")

if __name__ == "__main__":
    commands = {"receipt": check_receipt, "folder": check_folder}
    if len(sys.argv) < 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    run(commands[sys.argv[1]], *sys.argv[2:])
