//! Authorities and certificates that live as long as a test.

use std::net::SocketAddr;

use posthaste_smtp::{ConnectFuture, Connected, Connector};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, Issuer, KeyPair};
use tokio::net::TcpStream;

/// An authority with its own certificate.
pub(crate) struct Authority(pub(crate) CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Issued {
    /// In PEM, with what stands between it and the authority.
    pub(crate) chain: String,
    pub(crate) key: String,
    pub(crate) der: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, |_| {})
    }

    /// Makes one that is its own issuer.
    pub(crate) fn with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority(name);
        change(&mut params);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Makes one that this one vouches for.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self(CertifiedIssuer::signed_by(authority(name), KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }

    /// The public key with its algorithm.
    pub(crate) fn public_key(&self) -> Vec<u8> {
        use rcgen::PublicKeyData as _;
        self.0.key().subject_public_key_info()
    }

    pub(crate) fn issue(&self, params: &CertificateParams) -> Issued {
        issue(params, &self.0)
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn issue(params: &CertificateParams, issuer: &Issuer<'_, KeyPair>) -> Issued {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    Issued {
        chain: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().to_vec(),
    }
}

/// A certificate that vouches for itself.
pub(crate) fn self_signed(params: &CertificateParams) -> Issued {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Issued {
        chain: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().to_vec(),
    }
}

/// A certificate with a common name and alternative names, IP addresses included.
pub(crate) fn named(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

/// Connects to one address, whatever the host name.
#[derive(Debug)]
pub(crate) struct Towards(pub(crate) SocketAddr);

impl Connector for Towards {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> ConnectFuture<'a> {
        Box::pin(async move { Ok(Connected::new(TcpStream::connect(self.0).await?)) })
    }
}
