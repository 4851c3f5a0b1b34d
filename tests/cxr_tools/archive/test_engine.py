"""What is known of a cluster before Ray is asked."""

from __future__ import annotations

import socket

import pytest

pytest.importorskip("ray", reason="needs the extra ray")

from cxr_common.errors import InputError
from cxr_tools.archive import engine


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "ray://localhost:{}"])
def test_an_address_where_nothing_listens_is_refused_at_once(address, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and nobody listens
        address = address.format(free.getsockname()[1])
        monkeypatch.setattr(engine.ray, "init", lambda *_, **__: pytest.fail("Ray waits for minutes"))
        with pytest.raises(InputError, match="nothing answers there .* ray start --head"), engine.connected(address):
            pass


@pytest.mark.parametrize("address", ["no.such.host.invalid:6379", "127.0.0.1:99999", "[::1:6379"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(InputError, match="nothing answers there"), engine.connected(address):
        pass


def test_where_something_listens_ray_is_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(engine.ray, "init", lambda *given, **_: asked.append(given))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with engine.connected(address):
            pass
    assert asked == [(address,)]
