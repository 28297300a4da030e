"""What may be a provider's base URL.

Responsible for: one spelling per host, nothing that a URL may hold but a base URL must not, and where ``http://`` is safe.
Must never: repeat a URL in a message: a key may stand in it.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

_PORTS = range(1, 65536)
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_URL = re.compile(
    rf"(https?)://(\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*)(?::([0-9]{{1,5}}))?((?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*)/?"
)
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)")


def url_problem(url: str) -> str | None:
    """What is wrong with it as a base URL, and what to write instead."""
    if re.match("https?://", url) is None:
        return 'write the whole URL, such as "https://host/v1".'
    if "@" in url.split("/")[2]:
        return "it must not hold a user name or a password: a key goes into api_key_env, api_key_file or api_key."
    if "?" in url or "#" in url:
        return 'it must not hold a query ("?") or a fragment ("#"): it is only put before the path of a request.'
    match = _URL.fullmatch(url)
    if match is None or not (match[3] is None or int(match[3]) in _PORTS) or not _is_host(match[2]):
        return 'write it as "https://host[:port][/prefix]", in ASCII, with no empty segment.'
    if any(re.fullmatch(r"(?:\.|%2e){1,2}", segment, re.IGNORECASE) for segment in match[4].split("/")):
        return 'its path must not hold "." or ".." segments.'
    return None


def keeps_secrets(url: str) -> bool:
    """Whether what is sent to this URL is hidden from others: by TLS, or by never leaving this machine."""
    match = _URL.fullmatch(url)
    if match is None or match[1] == "https":
        return match is not None
    address = _address(match[2])
    return match[2].lower() == "localhost" if address is None else address.is_loopback


def _is_host(host: str) -> bool:
    """A name that ends in a number is an IPv4 address in some spelling (WHATWG URL, 3.5): only the plain one will do."""
    return _address(host) is not None or (host[0] != "[" and _NUMBER.fullmatch(host) is None)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return IPv6Address(host[1:-1]) if host[0] == "[" else IPv4Address(host)
    except ValueError:
        return None
