"""Bytes in, bytes out: the only home of cryptography, PyNaCl, argon2, SLIP-39 and hashlib. No domain words here."""
