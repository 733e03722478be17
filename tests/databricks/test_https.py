from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databricks.conftest import Connect
from tests.databricks.loopback import TOKEN, Loopback
from tests.databricks.sign_in import CLIENT_ID, CLIENT_SECRET
from tests.databricks.tls import Authority, authority
from workbench.lakehouse.engines.databricks import OperationalError

FILE = "/Volumes/mirion_vital/workbench/staging/a.parquet"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def secure(company: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A warehouse behind a certificate of the company's own authority, which this process does not trust yet."""
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    with Loopback(tmp_path / "secure", certificate=company.context) as server:
        yield server


@pytest.fixture
def trusted(secure: Loopback, company: Authority, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """The two variables that docs/databricks.md names: the connector's and the SDK's."""
    monkeypatch.setenv("SSL_CERT_FILE", str(company.ca))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(company.ca))
    return secure


def test_a_statement_goes_over_https(trusted: Loopback, connect: Connect) -> None:
    assert trusted.url.startswith("databricks://localhost:")
    with connect(trusted).cursor() as cursor:
        assert cursor.execute("SELECT ?", [7]).fetchall() == [(7,)]


def test_a_token_and_a_volume_file_go_over_https(
    trusted: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABRICKS_TOKEN")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", CLIENT_SECRET)
    connect(trusted).put(FILE, b"content")
    assert len(trusted.sign_in.granted) == 1
    assert (trusted.directory / FILE.lstrip("/")).read_bytes() == b"content"


def test_an_authority_that_is_not_trusted_is_refused(
    trusted: Loopback, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
        connect(trusted, _retry_stop_after_attempts_count=1)
    assert trusted.calls == []
