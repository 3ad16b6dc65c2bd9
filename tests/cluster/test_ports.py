"""Free ports and subnets: what is taken is not chosen."""

from __future__ import annotations

import socket
from ipaddress import IPv4Network
from itertools import islice

import pytest

from e2e.cluster import ports
from e2e.cluster.context import ClusterError


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not ports.is_free(listener.getsockname()[1], "127.0.0.1")


def test_ports_stay_clear_of_node_ports_and_outgoing_connections() -> None:
    chosen: set[int] = set()
    for _ in range(20):
        chosen.add(ports.free_port(chosen))
    assert len(chosen) == 20
    assert all(20000 <= port < 30000 for port in chosen)


def test_no_free_port_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda *_: False)
    with pytest.raises(ClusterError, match="end programs that listen there"):
        ports.free_port()


def test_each_subnet_has_a_host_and_a_cluster_end() -> None:
    assert [str(address) for address in ports.subnet(0)] == ["10.231.0.1", "10.231.0.2"]
    assert [str(address) for address in ports.subnet(64)] == ["10.231.1.1", "10.231.1.2"]


def test_taken_networks_are_left_out_whatever_their_size() -> None:
    taken = [IPv4Network("10.231.0.0/30"), IPv4Network("10.231.0.8/31"), IPv4Network("192.0.2.0/24")]
    assert list(islice(ports.free_subnets(taken), 3)) == [1, 3, 4]
    assert list(ports.free_subnets([IPv4Network("10.0.0.0/8")])) == []
