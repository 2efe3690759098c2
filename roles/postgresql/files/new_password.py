"""Print a new password and, on a second line, all that PostgreSQL keeps of it: its SCRAM verifier (RFC 5802, RFC 5803)."""

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096  # PostgreSQL's own number


def main() -> None:
    password = secrets.token_hex(16)
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    shown_salt, shown_stored, shown_server = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    print(password)
    print(f"SCRAM-SHA-256${ITERATIONS}:{shown_salt}${shown_stored}:{shown_server}")


main()
