"""Which requests are the page's own."""

from __future__ import annotations

import socket

import pytest

from facealign.inference.serve.hosts import Hosts

LOCAL = Hosts.of('127.0.0.1')
ANYWHERE = Hosts.of('0.0.0.0')


@pytest.mark.parametrize('bind', ['127.0.0.1', 'localhost', '::1', '[::1]'])
@pytest.mark.parametrize('host', ['127.0.0.1:7860', 'localhost', 'LOCALHOST.:9', '[::1]:7860', '127.8.9.1'])
def test_a_page_of_this_machine_has_its_names(bind: str, host: str) -> None:
    assert Hosts.of(bind).refusal(host, None, {}) is None
    assert Hosts.of(bind).refusal(host, f'http://{host}', {}) is None


FOREIGN = ['evil.example:7860', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1', '0.0.0.0:7860']
MALFORMED = [None, '', ':7860', 'a@localhost', 'localhost/x', 'localhost:x', '[::1', '[fe80::1%eth0]', 'local host']


@pytest.mark.parametrize('host', FOREIGN + MALFORMED)
def test_other_names_are_refused(host: str | None) -> None:
    assert 'Host' in LOCAL.refusal(host, None, {})


@pytest.mark.parametrize('bind', ['0.0.0.0', '::', '[::]'])
def test_a_page_for_the_network_has_every_address_and_this_machine_s_name(bind: str) -> None:
    hosts = Hosts.of(bind)
    own = socket.gethostname()
    for host in ('10.0.0.1:7860', '[2001:db8::1]:7860', 'localhost', own, f'{own}.local:7860'):
        assert hosts.refusal(host, None, {}) is None
    assert hosts.refusal('evil.example', None, {})


def test_a_page_at_one_address_has_that_one() -> None:
    hosts = Hosts.of('10.0.0.1')
    assert hosts.refusal('10.0.0.1:80', None, {}) is None
    assert hosts.refusal('10.0.0.2:80', None, {})
    assert hosts.refusal('localhost', None, {})


def test_names_can_be_added() -> None:
    hosts = Hosts.of('127.0.0.1', ['Faces.Example.', '10.0.0.1'])
    assert hosts.refusal('faces.example', 'https://faces.example', {}) is None
    assert hosts.refusal('10.0.0.1:8000', None, {}) is None
    # A proxy that asks for the page by the address that it forwards to.
    assert hosts.refusal('127.0.0.1:7860', 'https://faces.example', {}) is None
    assert hosts.refusal('other.example', None, {})


@pytest.mark.parametrize(
    'origin',
    ['http://evil.example', 'null', 'http://localhost:3000', 'http://localhost', 'file://', 'http://127.0.0.1:7860'],
)
def test_another_site_s_requests_are_refused(origin: str) -> None:
    """Another port of the same machine is another site too."""
    for hosts in (LOCAL, ANYWHERE):
        assert 'Origin' in hosts.refusal('localhost:7860', origin, {})


def test_ports_that_are_usual_need_not_be_named() -> None:
    assert LOCAL.refusal('localhost', 'http://localhost:80', {}) is None
    assert LOCAL.refusal('localhost:443', 'https://localhost', {}) is None
    assert LOCAL.refusal('localhost', 'https://localhost', {}) is None


def test_links_lead_to_the_page_but_no_site_embeds_it() -> None:
    link = {'site': 'cross-site', 'mode': 'navigate', 'dest': 'document'}
    assert LOCAL.refusal('localhost', None, link) is None
    for change in ({'dest': 'iframe'}, {'mode': 'no-cors', 'dest': 'image'}):
        assert LOCAL.refusal('localhost', None, {**link, **change}) == 'asked for by another site'
    own = {'site': 'same-origin', 'mode': 'cors', 'dest': 'empty'}
    assert LOCAL.refusal('localhost', None, own) is None
