"""The authorities that vouch for Aurora clusters, shipped in the zip: no public bundle has them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

import agent_memory

BUNDLE = Path(agent_memory.__file__).parent / "rds-ca.pem"
CERTIFICATES = x509.load_pem_x509_certificates(BUNDLE.read_bytes())


def common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def test_the_bundle_holds_only_root_authorities_of_amazon_rds() -> None:
    assert all(c.subject == c.issuer for c in CERTIFICATES)
    assert all(common_name(c).startswith("Amazon RDS ") for c in CERTIFICATES)
    assert all(c.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for c in CERTIFICATES)
    for certificate in CERTIFICATES:
        certificate.verify_directly_issued_by(certificate)


def test_every_region_in_it_has_authorities_for_all_three_kinds_of_key() -> None:
    names = {common_name(c) for c in CERTIFICATES}
    regions = {name.split()[2] for name in names}

    assert {"us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2", "sa-east-1"} <= regions
    for region in regions:
        for kind in ("RSA2048", "RSA4096", "ECC384"):
            assert f"Amazon RDS {region} Root CA {kind} G1" in names


def test_no_certificate_of_the_bundle_runs_out_within_a_year() -> None:
    assert min(c.not_valid_after_utc for c in CERTIFICATES) > datetime.now(UTC) + timedelta(days=365)
