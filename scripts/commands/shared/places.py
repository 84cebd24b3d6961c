"""Addresses of servers: http:// and https:// URLs taken apart, and the proxy that leads there."""
import os


class BadAddress(ValueError):
    """The URL cannot be used."""


class Place:
    """Where a server is. Requests go to its base path and what follows."""

    def __init__(self, scheme: str, host: str, port: int, base: str, authority: str):
        self.secure, self.host, self.port, self._base, self._authority = scheme == 'https', host, port, base, authority

    def request_target(self, target: str, proxy: 'Proxy | None') -> str:
        """What stands in the request line for something of this server's."""
        return f'http://{self._authority}{self._base}{target}' if proxy and not self.secure else self._base + target

    def headers(self, proxy: 'Proxy | None') -> dict[str, str]:
        """The headers that say where a request goes."""
        return {'Host': self._authority, **(proxy.headers() if proxy and not self.secure else {})}

    def is_this_host(self) -> bool:
        """Whether it is the host itself, which no proxy is asked for, so that a token goes nowhere else."""
        name = self.host.lower().removesuffix('.')
        numbers = name.split('.')
        return (name == 'localhost' or name.endswith('.localhost') or name in ('::1', '0:0:0:0:0:0:0:1') or
                numbers[0] == '127' and len(numbers) <= 4 and all(n.isascii() and n.isdigit() for n in numbers))


def split_authority(authority: str, scheme: str) -> tuple[str, int]:
    """Host and port."""
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
    """Takes an http:// or https:// URL without a user, query and fragment apart."""
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
    """An IPv4 address that is written short as it is written in full, and a name as it is asked for."""
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
    """Where requests go first."""

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
            self.port = 1080  # as curl has it

    def headers(self) -> dict[str, str]:
        """The headers that are for the proxy."""
        if not self._login:
            return {}
        from base64 import b64encode
        return {'Proxy-Authorization': 'Basic ' + b64encode(credentials(self._login)).decode()}


def credentials(login: str) -> bytes:
    """user:password as a URL has it, without its escapes."""
    from urllib.parse import unquote_to_bytes
    data = unquote_to_bytes(login.encode('utf-8', 'surrogateescape'))
    return data if b':' in data else data + b':'


def proxy_for(place: Place) -> Proxy | None:
    """The proxy of the usual environment variables, if one is to be used for this place."""
    names = ('https_proxy', 'HTTPS_PROXY') if place.secure else ('http_proxy',)
    url = next((os.environ[name] for name in (*names, 'all_proxy', 'ALL_PROXY') if os.environ.get(name)), '')
    if not url or place.is_this_host() or _is_excepted(place.host, os.environ.get('no_proxy') or os.environ.get('NO_PROXY') or ''):
        return None
    return Proxy(url)


def _is_excepted(host: str, no_proxy: str) -> bool:
    """Whether no_proxy names the host, a domain of its, or a network that it is in."""
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
