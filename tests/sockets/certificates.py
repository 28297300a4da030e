"""A certificate authority for tests.

Responsible for: certificates that are right, and such that are wrong in one way.
Must never: be trusted by anything but a test.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import attrs
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
"""RFC 5280, section 4.2.1.3. Python 3.13 insists on it, and on the identifiers of the keys."""


@attrs.frozen
class Certificate:
    """A certificate and its key in PEM files; ``context`` serves with it."""

    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


class Authority:
    """Signs certificates for tests. ``by``: the authority that has signed this one's own, in ``own``; else it is a root."""

    def __init__(self, directory: Path, by: Authority | None = None) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests" if by is None else "between")])
        constraints = (x509.BasicConstraints(ca=True, path_length=None), True)
        certificate = (by or self)._sign(self._name, self._key, [constraints, (_SIGNS_CERTIFICATES, True)])
        self.own = directory / f"authority-{certificate.serial_number}.pem"
        self.own.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.roots: Path = self.own if by is None else by.roots

    def issue(self, *names: x509.GeneralName, days: int = 2) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test server")])
        certificate = self._sign(subject, key, [(x509.SubjectAlternativeName(names), False)], days)
        path = self._directory / f"{certificate.serial_number}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret = path.with_suffix(".key")
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return Certificate(path, secret)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        extensions: list[tuple[x509.ExtensionType, bool]],
        days: int = 2,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=4))
            .not_valid_after(now + dt.timedelta(days=days))
        )
        public = self._key.public_key()
        keys = (
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
        )
        for extension, critical in (*extensions, *keys):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())


LOOPBACK = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
