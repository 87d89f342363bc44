"""Debian's postfix as a mail server of its own: own directory, one loopback port, every mail in a Maildir.

    with PostfixServer() as server:
        ...                      # send to 127.0.0.1:server.port
        server.wait_for(3)       # the mails, as EmailMessage

Any address at example.test is taken, with these exceptions, by the start of the address:

    gone…     550 5.1.1 at RCPT          later…    450 4.2.0 at RCPT
    refused…  554 5.7.1 at RCPT          closing…  421 4.3.2 at RCPT, and the connection closes

What is sent to nowhere.test is taken, and bounces: there is no such mailbox (5.1.1).

A body with a line ``X-Reject: 554`` is refused after DATA, ``X-Reject: 451`` deferred. Postfix must be started by root.
"""

from __future__ import annotations

import email
import email.policy
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from tests.counterparts.process import Counterpart, CounterpartFailed, CounterpartMissing, Program, free_port, require

DOMAIN = "example.test"
_MASTER = "/usr/lib/postfix/sbin/master"

_MAIN = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/postfix.log
maillog_file_prefixes = {root}
myhostname = mail.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
relayhost =
transport_maps = inline:{{ nowhere.test=nobody: }}
default_transport = error:this test server sends nothing outside
virtual_mailbox_domains = example.test
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access regexp:{root}/config/recipients, permit_mynetworks, reject
body_checks = regexp:{root}/config/bodies
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 10000
smtpd_hard_error_limit = 10000
smtpd_client_connection_count_limit = 0
smtpd_timeout = {timeout}
smtputf8_enable = yes
message_size_limit = {size}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
"""

_TLS = """\
smtpd_tls_security_level = {level}
smtpd_tls_cert_file = {root}/cert.pem
smtpd_tls_key_file = {root}/key.pem
smtpd_tls_loglevel = 1
"""

_SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
{smtps}pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
nobody    unix  - n n - - virtual -o virtual_mailbox_maps=inline:{{nobody=here}}
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""

_RECIPIENTS = """\
/^gone/     550 5.1.1 unknown mailbox
/^refused/  554 5.7.1 refused by policy
/^later/    450 4.2.0 mailbox busy, try later
/^closing/  421 4.3.2 closing for maintenance
"""

_BODIES = """\
/^X-Reject: 554/  REJECT 5.6.0 we do not like this text
/^X-Reject: 451/  REJECT 4.7.1 not now
"""


_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace")


class PostfixServer(Counterpart):
    """A running postfix. ``directory`` must be new or its own; without one it gets a temporary directory and removes
    it at the end. ``tls`` offers STARTTLS with a self-signed certificate for localhost and 127.0.0.1, whose file is
    ``certificate``, and TLS from the first byte on ``tls_port``. ``size`` is the largest mail in bytes, ``timeout`` how
    many seconds an idle client is kept."""

    def __init__(
        self, directory: Path | None = None, *, tls: bool = False, size: int = 10_240_000, timeout: int = 300
    ) -> None:
        self._owned = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="segue-postfix-"))
        self.tls = tls
        self.size = size
        self.timeout = timeout
        self.host = "127.0.0.1"
        self.port = 0
        self.tls_port = 0
        self._master: Program | None = None

    @property
    def certificate(self) -> Path:
        return self.directory / "cert.pem"

    @property
    def log(self) -> str:
        path = self.directory / "postfix.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def start(self) -> Self:
        """Write the configuration and start. Raises CounterpartMissing where there is no postfix or no root,
        CounterpartFailed when it does not come up."""
        require("postfix", "postfix")
        if os.geteuid() != 0:
            raise CounterpartMissing("postfix can only be started by root: run these tests as root")
        self._prepare()
        for _ in range(3):  # a port that was free may be taken by another process before postfix binds it
            self.port = self.port or free_port()
            self.tls_port = self.tls_port or (free_port() if self.tls else 0)
            self._configure()
            # "-d" keeps the master in our process group's foreground, so that its process id is ours to end.
            config = str(self.directory / "config")
            self._master = Program([_MASTER, "-d", "-c", config], self.directory / "master.log")
            try:
                self._master.wait_for_port(self.port)
            except CounterpartFailed as failure:
                self.stop_programs()
                if "in use" not in f"{failure}{self.log}":
                    raise CounterpartFailed(f"{failure}\n{self.log[-1500:]}") from None
                self.port = self.tls_port = 0
            else:
                return self
        raise CounterpartFailed(f"postfix found no free port: {self.log[-1500:]}")

    def stop_programs(self) -> None:
        """End postfix and keep its files; ``start`` then goes on with the same port, queue and mailbox."""
        if self._master is not None:
            self._master.stop()
            self._master = None

    def stop(self) -> None:
        """End postfix, and remove the directory if it was made here."""
        self.stop_programs()
        if self._owned:
            shutil.rmtree(self.directory, ignore_errors=True)

    def messages(self) -> list[EmailMessage]:
        """Every mail delivered so far, in order of arrival. ``X-Original-To`` has the recipient, ``Return-Path`` the
        sender of the envelope."""
        box = self.directory / "mail" / "all" / "new"
        if not box.exists():
            return []
        found: list[tuple[int, str, bytes]] = []
        for path in box.iterdir():
            found.append((path.stat().st_mtime_ns, path.name, path.read_bytes()))
        return [_parse(raw) for _, _, raw in sorted(found)]

    def wait_for(self, count: int, within: float = 60.0) -> list[EmailMessage]:
        """The mails, once there are at least ``count``; raises CounterpartFailed after ``within`` seconds."""
        box = self.directory / "mail" / "all" / "new"
        deadline = time.monotonic() + within
        while not box.exists() or len(os.listdir(box)) < count:
            if time.monotonic() > deadline:
                raise CounterpartFailed(
                    f"{len(self.messages())} of {count} mails after {within:g} s:\n{self.log[-1500:]}"
                )
            time.sleep(0.05)
        return self.messages()

    def _prepare(self) -> None:
        root = self.directory
        root.mkdir(parents=True, exist_ok=True)
        # Delivery runs as an unprivileged user and opens the mailbox by its full path.
        root.chmod(0o755)
        for parent in root.resolve().parents:
            if not parent.stat().st_mode & 0o001:
                raise CounterpartFailed(
                    f"postfix's delivery agent cannot reach {root}: {parent} is closed to other users. "
                    "Give PostfixServer no directory, or one below a directory that others may enter."
                )
        for name in ("config", "queue", "queue/pid"):
            (root / name).mkdir(exist_ok=True)
        owner = _setting("mail_owner")
        # What `postfix check` would make, with a second less of shell.
        for name in _QUEUES:
            (root / "queue" / name).mkdir(exist_ok=True)
            shutil.chown(root / "queue" / name, owner)
            (root / "queue" / name).chmod(0o700)
        for name, mode in (("public", 0o2710), ("maildrop", 0o1730)):
            (root / "queue" / name).mkdir(exist_ok=True)
            shutil.chown(root / "queue" / name, owner, _setting("setgid_group"))
            (root / "queue" / name).chmod(mode)
        for name in ("data", "mail"):
            (root / name).mkdir(exist_ok=True)
            shutil.chown(root / name, owner, owner)
        if self.tls and not self.certificate.exists():
            _make_certificate(root)

    def _configure(self) -> None:
        root = self.directory
        mailbox = (root / "mail").stat()
        main = _MAIN.format(root=root, uid=mailbox.st_uid, gid=mailbox.st_gid, size=self.size, timeout=self.timeout)
        if self.tls:
            main += _TLS.format(root=root, level="may")
        smtps = f"127.0.0.1:{self.tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n" if self.tls else ""
        config = root / "config"
        (config / "main.cf").write_text(main)
        (config / "master.cf").write_text(_SERVICES.format(port=self.port, smtps=smtps))
        (config / "recipients").write_text(_RECIPIENTS)
        (config / "bodies").write_text(_BODIES)


def _setting(name: str) -> str:
    return _run(["postconf", "-d", "-h", name]).strip()


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise CounterpartFailed(f"{command[0]} failed: {done.stderr[-1500:]}")
    return done.stdout


def _make_certificate(root: Path) -> None:
    require("openssl", "openssl")
    _run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(root / "key.pem"), "-out", str(root / "cert.pem")),
        ]
    )
    (root / "key.pem").chmod(0o600)


def _parse(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message
