"""Names under which the page answers: against DNS rebinding and requests that other sites send."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

_HOST = re.compile(r'(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[^\[\]:/@\\\s]+))(?::(?P<port>[0-9]{1,5}))?', re.IGNORECASE)
_PORTS = {'http': 80, 'https': 443}


@dataclass(frozen=True)
class Hosts:
    """The hosts that a request may name.

    Attributes:
        names: host names and addresses, lower case.
        extra: those of ``names`` that the user gave: perhaps a proxy's, which
            asks for the page by another name than its reader does.
        loopback: every address of the loopback network too.
        addresses: every address too. No name can be bound again to lead here
            where the reader has typed an address.
    """

    names: frozenset[str]
    extra: frozenset[str] = frozenset()
    loopback: bool = False
    addresses: bool = False

    @classmethod
    def of(cls, bind: str, extra: Iterable[str] = ()) -> Hosts:
        """Those that lead to a server listening at ``bind`` (a name, an address, or all: 0.0.0.0, ::)."""
        given = frozenset(name.lower().strip('[]').rstrip('.') for name in extra)
        bind = bind.lower().strip('[]').rstrip('.')
        bound = {bind} if _address(bind) else {bind, *_addresses_of(bind)}
        everywhere = any(address.is_unspecified for address in map(_address, bound) if address)
        loopback = everywhere or any(address.is_loopback for address in map(_address, bound) if address)
        names = given | (frozenset() if everywhere else frozenset(bound))
        if loopback:
            names |= {'localhost'}
        if everywhere or not loopback:
            own = socket.gethostname().lower()
            names |= {own, f'{own}.local'}
        return cls(names, given, loopback, everywhere)

    def refusal(self, host: str | None, origin: str | None, fetch: dict[str, str | None]) -> str | None:
        """Why a request is not the page's own; None where it is.

        Args:
            host, origin: its headers; ``origin`` is absent from a reader's first visit.
            fetch: its headers ``Sec-Fetch-…`` by what follows: ``site``, ``mode``, ``dest``.
        """
        name, port = _split(host or '')
        if not self._allowed(name):
            return f'Host {host!r} is not a name of this page (--allow-host adds one)'
        if origin is not None:
            scheme, _, rest = origin.lower().partition('://')
            its_name, its_port = _split(rest)
            usual = _PORTS.get(scheme)
            same = its_name == name and (its_port or usual) == (port or usual)
            if usual is None or not (same or its_name in self.extra):
                return f'Origin {origin!r} is another site'
        # A link to the page may be followed; but no other site shows it in a frame or asks for its parts.
        followed = fetch.get('mode') == 'navigate' and fetch.get('dest') in (None, 'document')
        if origin is None and fetch.get('site') in ('cross-site', 'same-site') and not followed:
            return 'asked for by another site'
        return None

    def _allowed(self, name: str) -> bool:
        if name in self.names:
            return True
        address = _address(name)
        return address is not None and (self.addresses or (self.loopback and address.is_loopback))


def page_address(bind: str, port: int) -> str:
    """What to type into a browser on the same machine.

    >>> page_address('0.0.0.0', 7860), page_address('::1', 80)
    ('http://localhost:7860/', 'http://[::1]:80/')
    """
    address = _address(bind.strip('[]'))
    if address is None:
        name = bind
    elif address.is_unspecified:
        name = 'localhost'
    else:
        name = f'[{address}]' if address.version == 6 else str(address)
    return urlsplit(f'http://{name}:{port}/').geturl()


def _split(host: str) -> tuple[str, int | None]:
    """``name:port`` → its parts; an empty name where it is none.

    >>> _split('Localhost.:7860'), _split('[::1]:80'), _split('a@b')
    (('localhost', 7860), ('::1', 80), ('', None))
    """
    match = _HOST.fullmatch(host)
    if match is None:
        return '', None
    name = (match['v6'] or match['name']).lower().rstrip('.')
    return name, int(match['port']) if match['port'] else None


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _addresses_of(name: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return set()  # binding to it says so
