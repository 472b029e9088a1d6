"""Two things that Python's standard library lacks and check.py needs: AES-256, and the verification of Ed25519."""
import hashlib

def xor(a, b): return bytes(x ^ y for x, y in zip(a, b))

# AES-256 (FIPS 197)

def mul(a, b):
    r = 0
    while b:
        r, a, b = r ^ a * (b & 1), a << 1 ^ (0x11B if a & 0x80 else 0), b >> 1
    return r

def substitute(x):
    i = x
    for _ in range(6):
        i = mul(mul(i, i), x)  # at the end x to the power of 127
    i = mul(i, i)  # of 254: the inverse
    i ^= i << 1 ^ i << 2 ^ i << 3 ^ i << 4
    return 0x63 ^ (i ^ i >> 8) & 0xFF

BOX = bytes(map(substitute, range(256)))

def aes256(key, block):
    words = [key[i:i + 4] for i in range(0, 32, 4)]
    for i in range(8, 60):
        t = words[-1]
        if i % 8 == 0:
            t = xor((t[1:] + t[:1]).translate(BOX), bytes([1 << i // 8 - 1, 0, 0, 0]))
        elif i % 8 == 4:
            t = t.translate(BOX)
        words.append(xor(words[i - 8], t))
    keys = [b"".join(words[i:i + 4]) for i in range(0, 60, 4)]
    s = xor(block, keys[0])
    for turn in range(1, 15):
        s = bytes(s[5 * i % 16] for i in range(16)).translate(BOX)
        if turn < 14:
            columns = [s[j:j + 4] for j in range(0, 16, 4)]
            s = bytes(mul(c[i], 2) ^ mul(c[i - 3], 3) ^ c[i - 2] ^ c[i - 1] for c in columns for i in range(4))
        s = xor(s, keys[turn])
    return s

# Ed25519 (RFC 8032)

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def add(a, b):
    t = D * a[0] * b[0] * a[1] * b[1]
    return (a[0] * b[1] + a[1] * b[0]) * pow(1 + t, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - t, -1, P) % P

def times(n, a):
    r = (0, 1)
    while n:
        r, a, n = add(r, a) if n & 1 else r, add(a, a), n >> 1
    return r

def point(data):
    n = int.from_bytes(data, "little")
    y, sign = n & 2**255 - 1, n >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or y >= P:
        raise ValueError("no point of the curve")
    return (x if x & 1 == sign else P - x), y

def encoded(a): return (a[1] | (a[0] & 1) << 255).to_bytes(32, "little")

BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def public_key(seed):
    """The public key of a private one."""
    n = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    return encoded(times(n & 2**254 - 8 | 2**254, BASE))

def verify(public, message, signature):
    """Whether a signature of 64 bytes is that of a message by a public key."""
    s, k = int.from_bytes(signature[32:], "little"), hashlib.sha512(signature[:32] + public + message).digest()
    x, y = times(int.from_bytes(k, "little") % ORDER, point(public))
    return len(signature) == 64 and s < ORDER and encoded(add(times(s, BASE), (P - x, y))) == signature[:32]
