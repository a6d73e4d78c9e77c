"""The stack's log server: one folder over SFTP, for the user `logs` and their password."""

from __future__ import annotations

import asyncio
import base64
import hmac
import os

import asyncssh

PORT = 2222
FOLDER = "/served"


class Door(asyncssh.SSHServer):
    """Lets one user in, by password alone."""

    def begin_auth(self, username: str) -> bool:
        """Ask everybody."""
        return True

    def password_auth_supported(self) -> bool:
        """Ask for a password."""
        return True

    def validate_password(self, username: str, password: str) -> bool:
        """Compare without telling by the time it takes how much of it was right."""
        return username == "logs" and hmac.compare_digest(password.encode(), os.environ["SFTP_PASSWORD"].encode())


class Folder(asyncssh.SFTPServer):
    """Nothing above the folder can be seen."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(channel, chroot=FOLDER.encode())


async def serve() -> None:
    """Serve until the process ends."""
    key = asyncssh.import_private_key(base64.b64decode(os.environ["SFTP_HOST_SECRET"]))
    server = await asyncssh.listen(
        "", PORT, server_factory=Door, server_host_keys=[key], sftp_factory=Folder, allow_scp=False
    )
    async with server:
        await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve())
