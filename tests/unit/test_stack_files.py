"""What docker-compose.yml promises holds for each of its servers, and `stack/env.py` keeps what is there."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVERS: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
SCRIPT = ROOT / "stack" / "env.py"

specification = importlib.util.spec_from_file_location("stack_env", SCRIPT)
assert specification
assert specification.loader
ENV: Any = importlib.util.module_from_spec(specification)  # a script, and in no package
specification.loader.exec_module(ENV)

VARIABLE = re.compile(r"\$\{(\w+)(?:(:[?-])([^}]*))?\}")


def write_env(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Call the script."""
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


def pairs(path: Path) -> dict[str, str]:
    """Return what an environment file says."""
    return dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines())


each_server = pytest.mark.parametrize("server", [pytest.param(server, id=name) for name, server in SERVERS.items()])


@each_server
def test_ports_are_this_machines_alone(server: dict[str, Any]) -> None:
    """And each can be another one."""
    for port in server.get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+", port)


@each_server
def test_images_are_pinned_and_can_be_others(server: dict[str, Any]) -> None:
    """By a variable, whose default has a tag; one that is pulled, and not built here, has a digest as well."""
    digest = "" if "build" in server else "@sha256:[0-9a-f]{64}"
    assert re.fullmatch(rf"\$\{{DAGPROOF_\w+_IMAGE:-[\w-]+:[\d.]+{digest}\}}", server["image"])


def test_images_that_others_are_built_from_have_a_digest() -> None:
    """The same wherever it is named."""
    texts = [TEXT, *((ROOT / "stack" / name).read_text(encoding="utf-8") for name in ("Dockerfile", "etl.Dockerfile"))]
    found = [re.findall(r"python:3\.12-slim-bookworm(@sha256:[0-9a-f]{64})?", text) for text in texts]
    assert [len(digests) for digests in found] == [1, 1, 1]
    assert len({digests[0] for digests in found}) == 1
    assert found[0][0]


@each_server
def test_no_server_has_rights_that_it_does_not_need(server: dict[str, Any]) -> None:
    """None of root's, no new ones, and so much memory."""
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\$\{\w+_MEMORY:-\d+[mg]\}", server["mem_limit"])
    assert "privileged" not in server
    added = server.get("cap_add", [])
    assert added == (
        ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"] if "POSTGRES_IMAGE" in server["image"] else []
    )


@each_server
def test_health_is_looked_at(server: dict[str, Any]) -> None:
    """With a limit on how long that may take."""
    assert server["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= server["healthcheck"].keys()


@each_server
def test_what_is_waited_for_is_healthy(server: dict[str, Any]) -> None:
    """Started alone is not enough."""
    waits = server.get("depends_on", {})
    assert waits.keys() <= SERVERS.keys()
    assert all(what == {"condition": "service_healthy"} for what in waits.values())


def test_no_secret_has_a_default(tmp_path: Path) -> None:
    """Each one of `stack/env.py` must be given; whatever else looks like one is one of those."""
    write_env(tmp_path / "env")
    found = {name: (how, default) for name, how, default in VARIABLE.findall(TEXT)}
    secret = {name for name in found if re.search("PASSWORD|SECRET|KEY|TOKEN", name)}
    assert secret == pairs(tmp_path / "env").keys()
    assert {found[name] for name in secret} == {(":?", "run python3 stack/env.py")}
    assert {how for name, (how, _) in found.items() if name not in secret} == {":-"}
    assert not re.search(r"(?i)(password|secret|token)\w*\"?: *\"?(?![\"$ ])[a-z0-9]", TEXT)


def test_new_secrets_are_random_and_for_you_alone(tmp_path: Path) -> None:
    """Two files have nothing in common, and nobody else may read them."""
    first, second = tmp_path / "a", tmp_path / "b"
    assert (write_env(first).returncode, write_env(second).returncode) == (0, 0)
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert pairs(first).keys() == pairs(second).keys()
    assert not set(pairs(first).values()) & set(pairs(second).values())
    assert min(map(len, pairs(first).values())) >= 20

    before = first.read_bytes()
    assert "stays as it is" in write_env(first).stdout
    assert first.read_bytes() == before
    assert len(base64.urlsafe_b64decode(pairs(first)["AIRFLOW_FERNET_KEY"])) == 32


@given(
    kept=st.sets(st.sampled_from(["POSTGRES_PASSWORD", "S3_SECRET_KEY", "MY_OWN", "AIRFLOW_PORT"])), end=st.booleans()
)
def test_what_is_there_is_kept(tmp_path_factory: pytest.TempPathFactory, kept: set[str], end: bool) -> None:
    """Only what is missing is added; a second time changes nothing."""
    path = tmp_path_factory.mktemp("env") / "env"
    text = "\n".join(f"{name}=mine" for name in sorted(kept)) + ("\n" if end and kept else "")
    path.write_text(text, encoding="utf-8")
    assert ENV.write(path)
    assert path.read_text(encoding="utf-8").startswith(text)
    assert {name for name, value in pairs(path).items() if value == "mine"} == kept
    full = path.read_bytes()
    assert ENV.write(path) == []
    assert path.read_bytes() == full


def test_the_public_key_is_that_of_the_secret(tmp_path: Path) -> None:
    """As a library of others computes it, also where only the secret was there."""
    path = tmp_path / "env"
    write_env(path)
    secret = load_ssh_private_key(base64.b64decode(pairs(path)["SFTP_HOST_SECRET"]), None)
    theirs = secret.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert f"ssh-ed25519 {pairs(path)['SFTP_HOST_KEY']}" == theirs
    path.write_text(f"SFTP_HOST_SECRET={pairs(path)['SFTP_HOST_SECRET']}\n")
    write_env(path)
    assert f"ssh-ed25519 {pairs(path)['SFTP_HOST_KEY']}" == theirs


def test_who_has_no_ssh_keygen_is_told_what_to_install(tmp_path: Path) -> None:
    """And nothing is written."""
    path = tmp_path / "env"
    command = [sys.executable, str(SCRIPT), str(path)]
    done = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "there is no ssh-keygen, which makes the log server's key: install OpenSSH's client.\n"
    assert path.read_text() == ""


def test_a_file_that_is_there_is_closed_to_others(tmp_path: Path) -> None:
    """Also where it has all secrets already; a link, a pipe and a device are refused."""
    path = tmp_path / "env"
    path.write_text("MY_OWN=1\n")
    path.chmod(0o644)
    for _ in range(2):
        assert write_env(path).returncode == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path / "link", tmp_path / "pipe", Path(os.devnull)):
        refused = write_env(other)
        assert refused.returncode == 2, other
        assert refused.stderr.startswith(f"{other} cannot be written: ")
    assert stat.S_IMODE(os.stat(os.devnull).st_mode) == 0o666


def test_a_secret_that_is_no_key_is_told(tmp_path: Path) -> None:
    """And nothing is written."""
    path = tmp_path / "env"
    path.write_text("SFTP_HOST_SECRET=short\n", encoding="utf-8")
    refused = write_env(path)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"SFTP_HOST_SECRET in {path} is no key: ")
    assert path.read_text(encoding="utf-8") == "SFTP_HOST_SECRET=short\n"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """In one sentence, with the way out."""
    refused = write_env(tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"{tmp_path} cannot be written: Is a directory. Name another file, or fix that.\n"
    assert write_env("--help").returncode == 2


def test_commands_of_the_stack_are_there() -> None:
    """What a server runs from stack/ is a file there, and is in its image."""
    named = set(re.findall(r"/opt/stack/(\w+\.py)", json.dumps(SERVERS)))
    dockerfile = (ROOT / "stack" / "Dockerfile").read_text(encoding="utf-8")
    assert named == {path.name for path in (ROOT / "stack").glob("*.py")} - {SCRIPT.name}
    assert all(f"stack/{name}" in dockerfile for name in named)
