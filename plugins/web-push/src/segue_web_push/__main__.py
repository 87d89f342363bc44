"""``python -m segue_web_push``: a new pair of keys."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric import ec

from segue_web_push.vapid import public_key


def main() -> None:
    """Write a new pair to standard output, in the form that npm's web-push writes too."""
    key = ec.generate_private_key(ec.SECP256R1())
    raw = key.private_numbers().private_value.to_bytes(32, "big")
    print(f"private_key  {base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}")
    print(f"public key   {public_key(key)}")
    print("The private key is a secret: segue.toml refers to it by env or file. The public one goes into the page.")


if __name__ == "__main__":
    main()
