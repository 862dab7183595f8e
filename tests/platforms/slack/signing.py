"""Signatures: Slack's v0 request signature, and RS256 for id_tokens, with a key made from the seed."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from functools import cached_property
from random import Random

from tests.platforms.slack.values import Json

KEY_BITS = 2048
_EXPONENT = 65_537
_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def signature_headers(secret: str, body: bytes, at_s: float) -> dict[str, str]:
    """The headers that prove a request to be Slack's (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
    timestamp = str(int(at_s))
    digest = hmac.new(secret.encode(), b"v0:%s:%s" % (timestamp.encode(), body), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


@dataclass
class TokenSigner:
    """Signs id_tokens as Slack does; the key is found on first use, from the seed."""

    rng: Random

    @cached_property
    def key(self) -> tuple[int, int]:
        """(modulus, private exponent)."""
        while True:
            p, q = self._prime(), self._prime()
            phi = (p - 1) * (q - 1)
            if p != q and phi % _EXPONENT:
                return p * q, pow(_EXPONENT, -1, phi)

    def jwks(self) -> Json:
        """The public key as a JSON Web Key Set."""
        modulus = _base64url(self.key[0].to_bytes(KEY_BITS // 8))
        exponent = _base64url(_EXPONENT.to_bytes(3))
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "alg": "RS256",
                    "use": "sig",
                    "kid": "local",
                    "n": modulus,
                    "e": exponent,
                }
            ]
        }

    def sign(self, claims: Json) -> str:
        """A JSON Web Token of these claims."""
        header = {"alg": "RS256", "typ": "JWT", "kid": "local"}
        head = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        modulus, private = self.key
        digest = _SHA256_PREFIX + hashlib.sha256(head.encode()).digest()
        padded = b"\x00\x01" + b"\xff" * (KEY_BITS // 8 - 3 - len(digest)) + b"\x00" + digest
        signature = pow(int.from_bytes(padded), private, modulus).to_bytes(KEY_BITS // 8)
        return f"{head}.{_base64url(signature)}"

    def verifies(self, token: str) -> bool:
        """True if the token is one of this signer."""
        head, _, signature = token.rpartition(".")
        opened = pow(
            int.from_bytes(base64.urlsafe_b64decode(signature + "==")),
            _EXPONENT,
            self.key[0],
        )
        return opened.to_bytes(KEY_BITS // 8).endswith(_SHA256_PREFIX + hashlib.sha256(head.encode()).digest())

    def _prime(self) -> int:
        while True:
            candidate = self.rng.getrandbits(KEY_BITS // 2) | (3 << (KEY_BITS // 2 - 2)) | 1
            if all(candidate % small for small in _SMALL) and self._probably_prime(candidate):
                return candidate

    def _probably_prime(self, n: int) -> bool:
        odd, twos = n - 1, 0
        while odd % 2 == 0:
            odd, twos = odd // 2, twos + 1
        for _ in range(12):
            x = pow(self.rng.randrange(2, n - 1), odd, n)
            if x in (1, n - 1):
                continue
            for _ in range(twos - 1):
                x = x * x % n
                if x == n - 1:
                    break
            else:
                return False
        return True


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
