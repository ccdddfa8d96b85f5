"""Certificates of a throw-away authority, as files that Kafka and Python both read."""

from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization


class Authority:
    """An authority of its own; what it issues lies in the folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._ca = trustme.CA(organization_name=name)
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str, *, password: bytes | None = None) -> tuple[Path, Path]:
        """The certificate (with its chain) for a host or a person, and its key in PKCS 8, the only form that Kafka takes as PEM."""
        issued = self._ca.issue_cert(name)
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        certificate_file, key_file = (self._folder / f"{self.file.stem}-{name}.{kind}.pem" for kind in ("crt", "key"))
        certificate_file.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
        return certificate_file, key_file

    def issue_in_one_file(self, name: str) -> Path:
        """Key and certificate in one file, as a broker wants them."""
        certificate_file, key_file = self.issue(name)
        both = self._folder / f"{self.file.stem}-{name}.both.pem"
        both.write_bytes(key_file.read_bytes() + certificate_file.read_bytes())
        return both
