"""The mock org over TLS, as Python's and Node's own clients see it: they verify, and nobody tells them not to."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509

from providers.mock import Org, Served, serving
from providers.mock.http.tls import keep


@pytest.fixture
def served(org: Org) -> Iterator[Served]:
    with serving(org, tls=True) as found:
        yield found


def at(url: str) -> tuple[str, int]:
    found = urlsplit(url)
    return found.hostname or "", found.port or 0


def strict(certificate: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    # The default of Python 3.13.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def test_requests_takes_the_certificate(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """simple-salesforce and CumulusCI know https only, and this variable."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(served.certificate))

    with requests.Session() as session:
        assert [200, 200] == [session.get(f"{served.url}/services/data", timeout=5).status_code for _ in range(2)]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_it_is_valid_for_every_name_of_this_machine_and_strictly(served: Served, name: str) -> None:
    """A developer with a newer Python."""
    url = f"https://{name}:{at(served.url)[1]}/services/data"

    with urllib.request.urlopen(url, context=strict(served.certificate), timeout=5) as found:
        assert 200 == found.status


def test_it_is_served_on_the_other_loopback_too(org: Org) -> None:
    """Node looks for ::1 first."""
    try:
        with socket.socket(socket.AF_INET6) as found:
            found.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    with (
        serving(org, "::1", tls=True) as (url, certificate),
        urllib.request.urlopen(f"{url}/services/data", context=strict(certificate), timeout=5) as found,  # noqa: S310
    ):
        assert (True, 200) == (url.startswith("https://[::1]:"), found.status)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
def test_node_takes_the_certificate(served: Served) -> None:
    """Salesforce CLI and jsforce are Node."""
    script = f"require('https').get('{served.url}/services/data', r => {{ console.log(r.statusCode); r.resume() }})"

    done = subprocess.run(
        ["node", "-e", script],
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(served.certificate)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ("200\n", "") == (done.stdout, done.stderr)


def test_nobody_else_can_be_vouched_for(served: Served) -> None:
    """Somebody who keeps trusting it by mistake trusts an authority without a key, for a week."""
    assert served.certificate is not None
    authority = x509.load_pem_x509_certificate(served.certificate.read_bytes())

    assert b"PRIVATE" not in served.certificate.read_bytes()
    assert 8 > (authority.not_valid_after_utc - authority.not_valid_before_utc).days
    with socket.create_connection(at(served.url), timeout=5) as plain:
        context = strict(served.certificate)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            leaf = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_nothing_is_left_behind(org: Org) -> None:
    """No key on disk while it runs, and no certificate after."""
    before = set(Path(tempfile.gettempdir()).glob("mock-org-*"))
    with serving(org, tls=True) as (url, certificate):
        assert certificate == org.file.with_name(f"org.db.{at(url)[1]}.pem")
        assert before == set(Path(tempfile.gettempdir()).glob("mock-org-*"))

    assert ["org.db"] == [each.name for each in org.file.parent.iterdir() if not each.name.startswith("org.db-")]


def test_the_certificate_of_a_killed_server_is_replaced(tmp_path: Path) -> None:
    """What the last run left must not be what clients are told to trust."""
    file = tmp_path / "org.db.8443.pem"
    file.write_text("old")

    keep(b"new", file)

    assert ({"org.db.8443.pem"}, "new") == ({each.name for each in tmp_path.iterdir()}, file.read_text())


def test_clients_that_say_nothing_or_no_tls_keep_nobody_waiting(served: Served) -> None:
    """A port scanner, or a health check without TLS, must not stop everybody else."""
    silent = [socket.create_connection(at(served.url), timeout=5) for _ in range(10)]
    with socket.create_connection(at(served.url), timeout=5) as garbage:
        garbage.sendall(b"\x16\x03\x01 this is no handshake at all" * 20)
        assert requests.get(f"{served.url}/services/data", verify=str(served.certificate), timeout=5).ok
    for each in silent:
        each.close()


def test_half_a_handshake_does_not_outlive_the_server(org: Org) -> None:
    """A client that stopped in the middle of it must not keep a test's process."""
    before = set(threading.enumerate())
    with serving(org, tls=True) as served:
        silent, half = (socket.create_connection(at(served.url), timeout=5) for _ in range(2))
        half.sendall(b"\x16\x03\x01\x02\x00\x01")
        requests.get(f"{served.url}/services/data", verify=str(served.certificate), timeout=5)

    assert before == set(threading.enumerate())
    silent.close()
    half.close()


def test_a_client_without_tls_is_told_so(served: Served) -> None:
    """Who wrote http for https sees why it does not work."""
    answer = requests.get(f"http://127.0.0.1:{at(served.url)[1]}/services/data", timeout=5)

    assert (400, "This port speaks https and not http.\r\n") == (answer.status_code, answer.text)
