//! Fetching over the internet.

use std::{error::Error, fmt, net::SocketAddr, time::Duration};

use reqwest::{Certificate, Client, Response, StatusCode, header::CONTENT_TYPE, redirect};

use super::{FetchError, FetchFuture, Https};

/// How long a policy may be (RFC 8461 §3.3).
const LONGEST: usize = 65_536;

/// Fetches pages over HTTPS, as RFC 8461 §3.3 wants it.
///
/// It checks the certificate, follows no redirects, takes `text/plain` only and 65536 octets at most, keeps nothing, and
/// gives up when its time is over. Proxies named in the environment are not used.
///
/// # Examples
///
/// ```no_run
/// use posthaste_dns::Zone;
/// use posthaste_doctor::{Doctor, HttpsClient};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let zone = Zone::parse("_mta-sts.example.org. TXT \"v=STSv1; id=1\"")?;
/// let https = HttpsClient::new()?;
/// let diagnosis = Doctor::new(&zone).https(&https).check(&"example.org".parse()?).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HttpsClient(Client);

impl HttpsClient {
    /// Starts with what the platform trusts, and 10 seconds for a page.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] if TLS cannot be set up.
    pub fn new() -> Result<Self, FetchError> {
        Self::builder().build()
    }

    /// Configures another one.
    pub fn builder() -> HttpsBuilder {
        HttpsBuilder::default()
    }
}

/// Configures an [`HttpsClient`].
#[derive(Clone)]
pub struct HttpsBuilder {
    roots: Vec<Certificate>,
    addresses: Vec<(String, SocketAddr)>,
    timeout: Duration,
}

impl Default for HttpsBuilder {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            addresses: Vec::new(),
            timeout: Duration::from_secs(10),
        }
    }
}

impl HttpsBuilder {
    /// Trusts the certificate authorities in a PEM text, and no others.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] when it is damaged or holds none.
    pub fn only_root_pem(mut self, pem: impl AsRef<[u8]>) -> Result<Self, FetchError> {
        let roots = Certificate::from_pem_bundle(pem.as_ref()).map_err(|error| FetchError::Setup(why(&error)))?;
        if roots.is_empty() {
            return Err(FetchError::Setup("the PEM text holds no certificate".to_owned()));
        }
        self.roots.extend(roots);
        Ok(self)
    }

    /// Sets how long a page may take in all, from the lookup of its host to its last octet: 10 seconds unless told.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Connects to this address for a host, instead of looking it up with the system's resolver.
    #[must_use]
    pub fn address(mut self, host: impl Into<String>, address: SocketAddr) -> Self {
        self.addresses.push((host.into(), address));
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// [`FetchError::Setup`] if TLS cannot be set up.
    pub fn build(self) -> Result<HttpsClient, FetchError> {
        let mut client = Client::builder()
            .https_only(true)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .timeout(self.timeout)
            .user_agent(concat!("posthaste-doctor/", env!("CARGO_PKG_VERSION")));
        if !self.roots.is_empty() {
            client = client.tls_certs_only(self.roots);
        }
        for (host, address) in &self.addresses {
            client = client.resolve(host, *address);
        }
        match client.build() {
            Ok(client) => Ok(HttpsClient(client)),
            Err(error) => Err(FetchError::Setup(why(&error))),
        }
    }
}

impl Https for HttpsClient {
    fn get<'a>(&'a self, url: &'a str) -> FetchFuture<'a> {
        Box::pin(async move {
            let response = self.0.get(url).send().await.map_err(failed)?;
            read(response).await
        })
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, FetchError> {
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let kind = kind.unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("text/plain") {
        return Err(FetchError::ContentType(kind));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LONGEST {
            return Err(FetchError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failed(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::Timeout
    } else {
        // The address is said elsewhere.
        FetchError::Connect(why(&error.without_url()))
    }
}

/// An error with all that is behind it.
fn why(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        text = format!("{text}: {error}");
        behind = error.source();
    }
    text
}

impl fmt::Debug for HttpsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsClient").finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsBuilder")
            .field("roots", &self.roots.len())
            .field("addresses", &self.addresses)
            .field("timeout", &self.timeout)
            .finish()
    }
}
