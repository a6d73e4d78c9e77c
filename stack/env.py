"""Write the secrets of the stack: `python3 stack/env.py` makes `.env` beside `docker-compose.yml`.

Each secret is random, and only you may read the file, also if it was there already. Then it is kept, with all that it
says: what it lacks is added. Needs the standard library, and OpenSSH's `ssh-keygen`.
"""

from __future__ import annotations

import base64
import errno
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
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
    "MODEL_API_TOKEN": _password,  # what the model's API asks for
}
#: What the log server proves with that it is itself, as base64 of OpenSSH's key file, and its public half.
HOST_SECRET = "SFTP_HOST_SECRET"  # noqa: S105 - a name
HOST_KEY = "SFTP_HOST_KEY"


def values_in(text: str) -> dict[str, str]:
    """Return what the text of an environment file says, where it says something."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}


def write(path: Path) -> list[str]:
    """Add the secrets that a file lacks, and make it if there is none; return the names of those.

    Raises:
        LookupError: there is no `ssh-keygen`.
        OSError: the file cannot be read or written.
        ValueError: its SFTP_HOST_SECRET is no key.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        os.fchmod(descriptor, 0o600)  # before a secret is in it
        text = file.read()
        there = values_in(text)
        added = {name: make() for name, make in SECRETS.items() if name not in there}
        if HOST_SECRET not in there:
            added |= dict(zip((HOST_SECRET, HOST_KEY), host_keys(), strict=True))
        elif HOST_KEY not in there:
            added[HOST_KEY] = public_half(there[HOST_SECRET])
        if text and added and not text.endswith("\n"):
            file.write("\n")
        file.writelines(f"{name}={value}\n" for name, value in added.items())
    return list(added)


def host_keys() -> tuple[str, str]:
    """Return a new secret key of an SSH server and its public half, each on a line of its own.

    Raises:
        LookupError: there is no `ssh-keygen`.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "key")
        _keygen("-t", "ed25519", "-N", "", "-C", "", "-f", str(file))
        secret = base64.b64encode(file.read_bytes()).decode()
    return secret, public_half(secret)


def public_half(secret: str) -> str:
    """Return the public half of the secret key of an SSH server, without its type.

    Raises:
        LookupError: there is no `ssh-keygen`.
        ValueError: it is no secret key.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "key")
        file.touch(0o600)  # ssh-keygen refuses a key that others may read
        file.write_bytes(base64.b64decode(secret))
        return _keygen("-y", "-f", str(file)).split()[1]


def _keygen(*arguments: str) -> str:
    command = shutil.which("ssh-keygen")
    if not command:
        raise LookupError("there is no ssh-keygen, which makes the log server's key: install OpenSSH's client.")
    done = subprocess.run(
        [command, "-q", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ValueError(f"ssh-keygen refuses it ({' '.join(done.stderr.split())})")
    return done.stdout


def main(arguments: list[str]) -> int:
    """Write the file that is named, or `.env`."""
    if len(arguments) > 1 or any(argument.startswith("-") for argument in arguments):
        sys.stderr.write("usage: python3 stack/env.py [FILE]\n")
        return 2
    path = Path(arguments[0]) if arguments else DEFAULT
    try:
        added = write(path)
    except LookupError as error:
        sys.stderr.write(f"{error}\n")
        return 2
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
