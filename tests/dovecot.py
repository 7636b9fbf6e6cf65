"""A mail server of the tests' own: Dovecot on loopback, its mails in a temporary folder.

Units' mails are put into the mailbox with a time of arrival, as a delivering server would.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import imapclient
import pytest

from ledger.settings import Imap

PASSWORD = "三把 lock-17"
USER = "baosong"
_CONFIG = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
protocols = imap
listen = 127.0.0.1, 127.0.0.2
ssl = yes
ssl_cert = <{root}/server.pem
ssl_key = <{root}/server.key
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
mail_location = maildir:{root}/mails/%u
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mails/%u
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server: its ports on loopback and the authority that vouches for it."""

    root: Path
    port: int
    tls_port: int
    ca_file: Path

    def settings(self, user: str = USER, **other: object) -> Imap:
        """Settings of a mailbox of its, over TLS unless told otherwise."""
        stated = {
            "host": "localhost",
            "port": self.port if other.get("security", "tls") != "tls" else self.tls_port,
            "user": user,
            "password": PASSWORD,
            "ca_file": str(self.ca_file),
            "timeout_seconds": 20,
        }
        return Imap(**{**stated, **other})  # type: ignore[arg-type]

    @contextlib.contextmanager
    def client(self, user: str = USER) -> Iterator[imapclient.IMAPClient]:
        with imapclient.IMAPClient("localhost", self.port, ssl=False, timeout=20) as client:
            client.plain_login(user, PASSWORD)
            yield client

    def deliver(self, data: bytes, arrived: datetime, user: str = USER, folder: str = "INBOX") -> None:
        """Put a mail into a mailbox as having arrived at a moment."""
        with self.client(user) as client:
            if not client.folder_exists(folder):
                client.create_folder(folder)
            client.append(folder, data, msg_time=arrived)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificates(folder: Path) -> Path:
    """An authority of our own and a server's certificate for localhost; the authority's file."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
            "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", "server.key",
            "-out", "server.csr")  # fmt: skip
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", "names", "-out", "server.pem")  # fmt: skip
    return folder / "ca.pem"


@contextlib.contextmanager
def running(users: tuple[str, ...]) -> Iterator[Dovecot]:
    """A server with these users, stopped at the end. Skips the test where there is no Dovecot."""
    program = shutil.which("dovecot") or ("/usr/sbin/dovecot" if Path("/usr/sbin/dovecot").exists() else None)
    if program is None or shutil.which("openssl") is None:
        pytest.skip("no dovecot here (make setup-tests installs it)")
    # not pytest's own folder: the mails belong to another user, who must be able to get there
    root = Path(tempfile.mkdtemp(prefix="ledger-dovecot-"))
    root.chmod(0o755)
    try:
        ca_file = make_certificates(root)
        me = getpass.getuser() if os.getuid() else None
        owner = pwd.getpwnam(me or "nobody")
        mails = root / "mails"
        mails.mkdir()
        os.chown(mails, owner.pw_uid, owner.pw_gid)
        (root / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in users))
        (root / "users").chmod(0o644)
        server = Dovecot(root, free_port(), free_port(), ca_file)
        config = root / "dovecot.conf"
        config.write_text(
            _CONFIG.format(
                root=root,
                port=server.port,
                tls_port=server.tls_port,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                internal=me or "dovecot",
                group=me or "dovecot",
                login=me or "dovenull",
            )
        )
        process = subprocess.Popen([program, "-F", "-c", str(config)], stderr=subprocess.PIPE)
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _wait(server: Dovecot, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 5) as probe:
            if probe.recv(64).startswith(b"* OK"):
                return
        time.sleep(0.05)
    log = server.root / "dovecot.log"
    raise AssertionError(f"dovecot did not start: {log.read_text() if log.exists() else process.stderr}")


def trusting(server: Dovecot) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(server.ca_file))
