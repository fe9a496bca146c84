"""Real mail servers for as long as a test needs them: postfix takes mails, dovecot shows them.

Each runs from a folder of its own on free ports of the loopback; nothing of the system's own
mail is touched. Both need to be started by root, and give that up where they can.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DOMAIN = "noodles.test"
PASSWORD = "soup"
OWNER, GROUP = "nobody", "nogroup"
DEADLINE_S = 20
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming")
SOCKETS = ("private", "public", "trace")

MAIN = """\
compatibility_level = 3.6
config_directory = {folder}/postfix
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = mx.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
default_transport = error
virtual_mailbox_domains = {domain}, customer.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/postfix/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
recipient_delimiter = +
alias_maps =
alias_database =
local_recipient_maps =
# A server that knows its mailboxes says no at once; this one takes the mail and sends it back.
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = permit_mynetworks, reject
"""
MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """\
base_dir = {folder}/run
log_path = {folder}/dovecot.log
instance_name = {folder}
protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%n
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%n
}}
namespace inbox {{
  inbox = yes
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
"""


@dataclass(frozen=True)
class MailServers:
    """Where they listen, and where the mailboxes lie."""

    folder: Path
    smtp: int
    imap: int
    imaps: int

    @property
    def certificate(self) -> Path:
        return self.folder / "cert.pem"

    def wait_for_mail(self, mailbox: str, count: int) -> None:
        """Until so many mails lie in *mailbox*: a server takes its time to deliver."""
        deadline = time.monotonic() + DEADLINE_S
        while self._count(mailbox) < count:
            log = (self.folder / "postfix.log").read_text()
            assert time.monotonic() < deadline, f"no mail for {mailbox}:\n{log}"
            time.sleep(0.02)

    def _count(self, mailbox: str) -> int:
        return sum(1 for part in ("new", "cur") for _ in self._maildir(mailbox).glob(f"{part}/*"))

    def _maildir(self, mailbox: str) -> Path:
        return self.folder / "mail" / mailbox


def why_not() -> str:
    """Why they cannot run here; empty if they can."""
    missing = [each for each in ("postfix", "dovecot", "openssl") if not shutil.which(each)]
    if missing:
        return f"{' and '.join(missing)} is not installed"
    return "" if os.geteuid() == 0 else "postfix can be started by root only"


@contextmanager
def mail_servers(*mailboxes: str) -> Iterator[MailServers]:
    """Servers with these mailboxes, that end with the block. Mails to other addresses bounce.

    Args:
        mailboxes: Full addresses in noodles.test or customer.test; the password is `PASSWORD`.
    """
    with tempfile.TemporaryDirectory(prefix="voc-mail-") as name:
        servers = MailServers(Path(name), *_free_ports(3))
        _write(servers, mailboxes)
        # Both return when they listen. What `postfix start` checks before takes seconds.
        _run(_postfix_master(), "-w", "-c", f"{name}/postfix")
        try:
            _run("dovecot", "-c", f"{name}/dovecot.conf")
            try:
                yield servers
            finally:
                _stop(servers.folder / "run" / "master.pid")
        finally:
            _stop(servers.folder / "queue" / "pid" / "master.pid")


def _write(servers: MailServers, mailboxes: tuple[str, ...]) -> None:
    folder = servers.folder
    folder.chmod(0o755)
    for part in ("postfix", "mail", "queue/pid"):
        (folder / part).mkdir(parents=True)
    for part in ("data", *(f"queue/{each}" for each in (*QUEUES, *SOCKETS))):
        (folder / part).mkdir()
        shutil.chown(folder / part, "postfix")
    shutil.chown(folder / "mail", OWNER, GROUP)
    owner = (folder / "mail").stat()
    values = {
        "folder": folder,
        "domain": DOMAIN,
        "password": PASSWORD,
        "uid": owner.st_uid,
        "gid": owner.st_gid,
        "smtp": servers.smtp,
        "imap": servers.imap,
        "imaps": servers.imaps,
    }
    listed = "".join(f"{each} {each.partition('@')[0]}/\n" for each in mailboxes)
    (folder / "postfix" / "mailboxes").write_text(listed)
    (folder / "postfix" / "main.cf").write_text(MAIN.format(**values))
    (folder / "postfix" / "master.cf").write_text(MASTER.format(**values))
    (folder / "dovecot.conf").write_text(DOVECOT.format(**values))
    for path in (folder / "postfix").iterdir():
        os.utime(path, (0, 0))  # postfix waits for seconds if a file has just been written
    _certificate(folder)


def _certificate(folder: Path) -> None:
    """One for 127.0.0.1 that signs itself: who is told to trusts it, all others do not."""
    _run(
        *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
    )


def _postfix_master() -> str:
    command = ["postconf", "-dh", "daemon_directory"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return f"{found.stdout.strip()}/master"


def _stop(pid_file: Path) -> None:
    """End the server that wrote this file, and wait until it is gone with all that it started."""
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DEADLINE_S
    while _runs(pid):
        assert time.monotonic() < deadline, f"{pid_file} does not end"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    """Whether it runs; a zombie that nobody has fetched does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _run(*command: str) -> None:
    """Run *command*. What it says goes to a file: a server that it leaves behind holds on to it."""
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, stdout=said, stderr=said, check=False, timeout=60)
        said.seek(0)
        assert done.returncode == 0, f"{command[0]}: {said.read()}"
