"""Hosts: which are this machine, and which may talk to the show. Ports that cannot be bound."""

from __future__ import annotations

import errno

import pytest

from streamvace.system.errors import UserError
from streamvace.system.network import AllowList, is_loopback, is_this_machine, own_address, port_refusal


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *(("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("192.168.1.7", False), ("fe80::1%eth0", False), ("evil.example", False), ("", False)),
    ],
)
def test_loopback_is_this_machine_only(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def test_this_machine_is_known_by_all_its_addresses_and_a_stranger_is_not() -> None:
    assert is_this_machine("127.0.0.1")
    assert is_this_machine("::ffff:127.0.0.1")
    own = own_address()
    assert not own or is_this_machine(own)
    for stranger in ("192.0.2.1", "0.0.0.0", "::", "224.0.0.251", "evil.example"):
        assert not is_this_machine(stranger)


def test_the_hosts_of_the_networks_and_this_machine_are_allowed() -> None:
    allow = AllowList(("192.168.1.0/24", "10.0.0.7", "fd00::/8"))
    for host in ("192.168.1.1", "192.168.1.255", "10.0.0.7", "127.0.0.1", "::1", "::ffff:192.168.1.9", "fd00::5"):
        assert allow.allows(host), host
    for host in ("192.168.2.1", "10.0.0.8", "::ffff:10.0.0.8", "2001:db8::1", "", "a name"):
        assert not allow.allows(host), host
    assert AllowList().allows("203.0.113.9"), "without a list, everyone is"


@pytest.mark.parametrize("text", ["", "192.168.1", "192.168.1.5/24", "everyone", "10.0.0.0/99"])
def test_what_is_no_network_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match=r"--allow .*write 192\.168\.1\.7 or 192\.168\.1\.0/24"):
        AllowList((text,))


@pytest.mark.parametrize(
    ("code", "port", "says"),
    [
        (errno.EADDRINUSE, 7700, ("in use by another program", "--osc-port 7701,")),
        (errno.EACCES, 7700, ("reserved by the system", "--osc-port 8724,")),  # outside Windows' range of 100 ports
        (errno.EACCES, 80, ("reserved by the system", "--osc-port 1104,")),
        (errno.EACCES, 65535, ("reserved by the system", "--osc-port 64511,")),
        (errno.EADDRINUSE, 65535, ("in use by another program", "--osc-port 65534,")),
        (errno.EADDRNOTAVAIL, 7700, ("10.0.0.9 is not an address of this machine", "--host 127.0.0.1")),
    ],
)
def test_a_port_that_cannot_be_bound_gets_the_advice_that_helps(code: int, port: int, says: tuple[str, str]) -> None:
    line = str(port_refusal(OSError(code, "words"), "OSC port", "10.0.0.9", port, "--osc-port"))
    assert all(part in line for part in (*says, f"OSC port {port}"))
    assert ("try --osc-port" in line) is (code != errno.EADDRNOTAVAIL)


def test_an_address_of_another_machine_is_named_as_asyncio_reports_it_since_python_3_13() -> None:
    line = str(port_refusal(OSError("could not bind on any address"), "web port", "10.0.0.9", 8700, "--web-port"))
    assert "10.0.0.9 is not an address of this machine" in line
