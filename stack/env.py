"""Write the secrets of the stack: `python3 stack/env.py` makes `.env` beside `docker-compose.yml`.

Each secret is random, and only you may read the file, also if it was there already. Then it is kept, with all that it
says: what it lacks is added. Needs the standard library alone.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path

DEFAULT = Path(__file__).parents[1] / ".env"


def _password() -> str:
    return secrets.token_urlsafe(24)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


SECRETS: dict[str, Callable[[], str]] = {
    "POSTGRES_PASSWORD": _password,  # of the warehouse's user `postgres`
    "METADATA_PASSWORD": _password,  # of Airflow's own database
    "AIRFLOW_ADMIN_PASSWORD": _password,  # of the user `admin` of Airflow's pages and API
    "AIRFLOW_FERNET_KEY": _fernet_key,
    "AIRFLOW_SECRET_KEY": _password,
    "AIRFLOW_JWT_SECRET": lambda: secrets.token_urlsafe(64),  # HS512 asks for 64 bytes
    "S3_ACCESS_KEY": lambda: "AKIA" + secrets.token_hex(8).upper(),
    "S3_SECRET_KEY": _password,
    "SFTP_PASSWORD": _password,  # of the log server's user `logs`
    "SFTP_HOST_SECRET": lambda: secrets.token_hex(32),  # what the log server proves with that it is itself
    "MODEL_API_TOKEN": _password,  # what the model's API asks for
}
_DERIVED = "SFTP_HOST_KEY"  # the public half of SFTP_HOST_SECRET


def values_in(text: str) -> dict[str, str]:
    """Return what the text of an environment file says, where it says something."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}


def write(path: Path) -> list[str]:
    """Add the secrets that a file lacks, and make it if there is none; return the names of those.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: its SFTP_HOST_SECRET is not 64 hexadecimal digits.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        os.fchmod(descriptor, 0o600)  # before a secret is in it
        text = file.read()
        there = values_in(text)
        added = {name: make() for name, make in SECRETS.items() if name not in there}
        if _DERIVED not in there:
            added[_DERIVED] = ssh_public_key(bytes.fromhex({**there, **added}["SFTP_HOST_SECRET"]))
        if text and added and not text.endswith("\n"):
            file.write("\n")
        file.writelines(f"{name}={value}\n" for name, value in added.items())
    return list(added)


def ssh_public_key(seed: bytes) -> str:
    """Return the public key of an Ed25519 key (RFC 8032), as OpenSSH writes it without its type.

    Args:
        seed: The private key, 32 bytes.

    Raises:
        ValueError: it is not 32 bytes.
    """
    if len(seed) != 32:
        raise ValueError(f"the seed of an Ed25519 key is 32 bytes, not {len(seed)}")
    number = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    number = (number & ((1 << 254) - 8)) | (1 << 254)
    x, y = _times(number, _BASE)
    public = (y | (x & 1) << 255).to_bytes(32, "little")
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", public))
    return base64.b64encode(blob).decode()


_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def _plus(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Add two points of the curve."""
    crossed = _D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + crossed, -1, _P)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - crossed, -1, _P)
    return x % _P, y % _P


def _times(number: int, point: tuple[int, int]) -> tuple[int, int]:
    """Add a point to itself so many times."""
    result = (0, 1)
    while number:
        if number & 1:
            result = _plus(result, point)
        point, number = _plus(point, point), number >> 1
    return result


def main(arguments: list[str]) -> int:
    """Write the file that is named, or `.env`."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        sys.stderr.write("usage: python3 stack/env.py [FILE]\n")
        return 2
    path = Path(arguments[0]) if arguments else DEFAULT
    try:
        added = write(path)
    except OSError as error:
        sys.stderr.write(f"{path} cannot be written: {error.strerror}. Name another file, or fix that.\n")
        return 2
    except ValueError as error:
        sys.stderr.write(f"SFTP_HOST_SECRET in {path} is no key: {error}. Remove that line to have another.\n")
        return 2
    if not added:
        print(f"{path} has all secrets already, and stays as it is. Remove it to have new ones.")  # noqa: T201 - its output
    else:
        print(f"{path} has new secrets: {', '.join(added)}.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
