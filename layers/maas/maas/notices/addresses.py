"""Which addresses and host names a webhook may go to: global unicast, whatever way they are written.

The tables are our own copy of IANA's special-purpose registries (RFC 6890 and its updates, as of 2026), since those of
`ipaddress` differ from one Python version to the next.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_SPECIAL_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by providers
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, the metadata service
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")  # all of global unicast; mapped, compatible, local and multicast are outside
_SPECIAL_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which embeds an IPv4 address
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_TRANSLATED = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))  # the last 32 bits are an IPv4 address
_ISATAP = 0x5EFE  # in bits 32 to 47, before an IPv4 address (RFC 5214)
_LOCAL_NAMES = ("localhost", "local", "internal", "lan", "home.arpa", "intranet", "corp", "home", "private")


def is_public(address: str) -> bool:
    """Whether an IP address, as a resolver gives it, is global unicast. Raises ValueError for other text."""
    if "%" in address:  # a zone: only addresses of a link have one
        return False
    found = ip_address(address)
    return _is_public_4(found) if isinstance(found, IPv4Address) else _is_public_6(found)


def is_public_host(host: str) -> bool:
    """Whether a URL's host is a public address in its usual form, or a name that is not local by its ending.

    A name may still resolve to any address: check each with `is_public`.
    """
    try:
        return is_public(host)
    except ValueError:
        labels = host.lower().removesuffix(".").split(".")
        if labels[-1][:1].isdigit():  # 127.1, 2130706433, 0x7f000001: addresses to a resolver
            return False
        name = ".".join(labels)
        return len(labels) > 1 and not any(name == one or name.endswith(f".{one}") for one in _LOCAL_NAMES)


def _is_public_4(address: IPv4Address) -> bool:
    return not any(address in one for one in _SPECIAL_4)


def _is_public_6(address: IPv6Address) -> bool:
    embedded = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in one for one in _TRANSLATED):
        return _is_public_4(embedded)
    if address not in _GLOBAL_6 or any(address in one for one in _SPECIAL_6):
        return False
    return (int(address) >> 32) & 0xFFFF != _ISATAP or _is_public_4(embedded)
