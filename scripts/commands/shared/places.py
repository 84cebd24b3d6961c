"""Addresses of servers: parsing http:// and https:// URLs, and finding the proxy for them."""
import os


class BadAddress(ValueError):
    """The URL cannot be used."""


class Place:
    """The location of a server. Requests go to its base path and below."""

    def __init__(self, scheme: str, host: str, port: int, base: str, authority: str):
        self.secure, self.host, self.port, self._base, self._authority = scheme == 'https', host, port, base, authority

    def request_target(self, target: str, proxy: 'Proxy | None') -> str:
        """Returns the request target for a path on this server."""
        return f'http://{self._authority}{self._base}{target}' if proxy and not self.secure else self._base + target

    def headers(self, proxy: 'Proxy | None') -> dict[str, str]:
        """Returns the headers that say where a request goes."""
        return {'Host': self._authority, **(proxy.headers() if proxy and not self.secure else {})}

    def is_this_host(self) -> bool:
        """Returns whether it is the host itself, for which no proxy is used, so that a token goes nowhere else."""
        name = self.host.lower().removesuffix('.')
        numbers = name.split('.')
        return (name == 'localhost' or name.endswith('.localhost') or name in ('::1', '0:0:0:0:0:0:0:1') or
                numbers[0] == '127' and len(numbers) <= 4 and all(n.isascii() and n.isdigit() for n in numbers))


def split_authority(authority: str, scheme: str) -> tuple[str, int]:
    """Returns host and port."""
    if authority.startswith('['):
        host, bracket, rest = authority[1:].partition(']')
        host = host.replace('%25', '%')
        if not bracket or rest[:1] not in ('', ':'):
            raise BadAddress(authority)
        port = rest[1:]
    else:
        host, _, port = authority.partition(':')
    if port and not (port.isascii() and port.isdigit() and int(port) < 65536) or not host:
        raise BadAddress(authority)
    return host, int(port) if port else 443 if scheme == 'https' else 80


def place_of(url: str) -> Place:
    """Parses an http:// or https:// URL without a user, query or fragment."""
    scheme, _, rest = url.partition('://')
    authority, slash, path = rest.partition('/')
    if scheme not in ('http', 'https') or any(c <= ' ' or c in '\\"<>^`{|}\x7f' for c in authority) or any(c <= ' ' or c == '\x7f' for c in path):
        raise BadAddress(url)
    host, port = split_authority(authority, scheme)
    shown = _in_full(host)
    if shown != host:  # 127.1 is sent as 127.0.0.1
        authority, host = authority.replace(host, shown, 1), shown
    base = ''.join(chr(b) if b < 128 else f'%{b:02X}' for b in (slash + path).encode('utf-8', 'surrogateescape'))
    return Place(scheme, host, port, base, authority)


def _in_full(host: str) -> str:
    """Writes an abbreviated IPv4 address in full; leaves a name unchanged."""
    if host.rpartition('.')[2][:1].isdigit():
        import socket
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            return host
    try:
        return host if host.isascii() else host.encode('idna').decode()
    except UnicodeError:
        raise BadAddress(host) from None


class Proxy:
    """The first server to which requests are sent."""

    def __init__(self, url: str):
        scheme, separator, rest = url.partition('://')
        if not separator:
            scheme, rest = 'http', url
        login, _, authority = rest.split('/')[0].rpartition('@')
        if scheme != 'http':
            raise BadAddress(f'a proxy that is spoken to by {scheme}')
        self._login = login
        self.host, self.port = split_authority(authority, scheme)
        if ':' not in authority.rpartition(']')[2]:
            self.port = 1080  # as curl does

    def headers(self) -> dict[str, str]:
        """Returns the headers for the proxy."""
        if not self._login:
            return {}
        from base64 import b64encode
        return {'Proxy-Authorization': 'Basic ' + b64encode(credentials(self._login)).decode()}


def credentials(login: str) -> bytes:
    """Decodes user:password from a URL."""
    from urllib.parse import unquote_to_bytes
    data = unquote_to_bytes(login.encode('utf-8', 'surrogateescape'))
    return data if b':' in data else data + b':'


def proxy_for(place: Place) -> Proxy | None:
    """Returns the proxy in the usual environment variables, if one applies to this place."""
    names = ('https_proxy', 'HTTPS_PROXY') if place.secure else ('http_proxy',)
    url = next((os.environ[name] for name in (*names, 'all_proxy', 'ALL_PROXY') if os.environ.get(name)), '')
    if not url or place.is_this_host() or _is_excepted(place.host, os.environ.get('no_proxy') or os.environ.get('NO_PROXY') or ''):
        return None
    return Proxy(url)


def _is_excepted(host: str, no_proxy: str) -> bool:
    """Returns whether no_proxy names the host, a domain that contains it, or a network that contains its address."""
    if no_proxy == '*':
        return True
    host = host.lower().removesuffix('.')
    for entry in no_proxy.replace(',', ' ').lower().split():
        entry = entry.strip('[]').removeprefix('.').removesuffix('.')
        if host == entry or host.endswith('.' + entry) or '/' in entry and _is_in(host, entry):
            return True
    return False


def _is_in(host: str, network: str) -> bool:
    import ipaddress
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
