//! The TLS configuration of the Postgres connections that guests open.
//!
//! The Redis driver and wasmtime's HTTP client have TLS configurations of their
//! own, which cannot be replaced.

use std::sync::OnceLock;

use anyhow::{Context, Result};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{
        CertificateDer,
        pem::{self, PemObject as _},
    },
};

/// Trusts the system's certificates, and those in `ca_root` (PEM).
pub fn client_config(ca_root: Option<&str>) -> Result<ClientConfig> {
    let mut roots = system_roots().clone();
    for certificate in certificates(ca_root.unwrap_or_default()) {
        roots.add(certificate?)?;
    }
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Refuses text that contains no certificate.
pub fn check_certificate(pem: &str) -> Result<()> {
    let first = certificates(pem).next().context("none found")?;
    RootCertStore::empty().add(first?)?;
    Ok(())
}

/// The system's certificates, which are read once: reading takes some time.
fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

fn certificates(pem: &str) -> impl Iterator<Item = Result<CertificateDer<'static>, pem::Error>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_certificate_is_refused() {
        assert!(check_certificate("nothing").is_err());
    }
}
