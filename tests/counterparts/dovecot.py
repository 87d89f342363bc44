"""Debian's dovecot as an IMAP server of its own: one mailbox, over TLS or in plain text, on loopback ports.

    with DovecotServer() as server:
        server.put(b"Subject: Hi\\r\\n\\r\\n")     # into the mailbox's INBOX

It must be started by root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from pathlib import Path
from typing import Self

from tests.counterparts.databases import make_certificate
from tests.counterparts.process import Counterpart, CounterpartFailed, CounterpartMissing, Program, free_port, require

USER = "bounces@b.example.test"
PASSWORD = "a 'quoted\\\" pässword%s"
_OWNER = "nobody"

_CONFIG = """\
protocols = imap
listen = 127.0.0.1
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/dovecot.log
instance_name = {root}
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_chars =
first_valid_uid = 1
mail_location = maildir:{root}/mail
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/home
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
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


class DovecotServer(Counterpart):
    """A running dovecot; ``certificate`` vouches for itself."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.tls_port = 0
        self.folder = Path(tempfile.mkdtemp(prefix="segue-dovecot-"))
        self.certificate = self.folder / "server.crt"
        self._program: Program | None = None
        self._sent = 0

    def start(self) -> Self:
        """Raises CounterpartMissing where there is no dovecot or no root."""
        dovecot = require("dovecot", "dovecot-imapd")
        if os.geteuid() != 0:
            raise CounterpartMissing("dovecot can only be started by root: run these tests as root")
        self.folder.chmod(0o755)
        certificate, key = make_certificate(self.folder)
        owner = pwd.getpwnam(_OWNER)
        for name in ("mail", "mail/new", "mail/cur", "mail/tmp", "home"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, owner.pw_uid, owner.pw_gid)
        self.port, self.tls_port = free_port(), free_port()
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        (self.folder / "dovecot.conf").write_text(
            _CONFIG.format(
                root=self.folder,
                certificate=certificate,
                key=key,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                port=self.port,
                tls_port=self.tls_port,
            )
        )
        self._program = Program([dovecot, "-F", "-c", str(self.folder / "dovecot.conf")], self.folder / "program.log")
        try:
            self._program.wait_for_port(self.tls_port)
        except CounterpartFailed as failure:
            raise CounterpartFailed(f"{failure}\n{self.log}") from None
        return self

    @property
    def log(self) -> str:
        path = self.folder / "dovecot.log"
        return path.read_text("utf-8", "replace")[-2000:] if path.exists() else ""

    def put(self, *mails: bytes) -> None:
        """Deliver mails to INBOX."""
        owner = pwd.getpwnam(_OWNER)
        for raw in mails:
            self._sent += 1
            path = self.folder / "mail" / "tmp" / f"17{self._sent:05}.M1.here"
            path.write_bytes(raw)
            os.chown(path, owner.pw_uid, owner.pw_gid)
            path.rename(self.folder / "mail" / "new" / path.name)

    def inside(self) -> dict[str, bytes]:
        """The mails in INBOX, by the flags in their names: ``S`` is read, ``T`` is deleted."""
        found = {}
        for path in (*(self.folder / "mail" / "new").iterdir(), *(self.folder / "mail" / "cur").iterdir()):
            found[path.name.partition(":2,")[2] + path.name[:7]] = path.read_bytes()
        return found

    def stop(self) -> None:
        """End it, and remove its folder."""
        if self._program is not None:
            self._program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
