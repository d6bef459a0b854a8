//! Who logs in, and as whom they may send.

use posthaste_address::{Domain, EmailAddress};

use crate::secret::Secret;

/// A user name and password as a client gave them.
#[derive(Clone, Debug)]
pub struct Credentials {
    username: String,
    password: Secret,
}

impl Credentials {
    pub(super) fn new(username: String, password: Secret) -> Self {
        Self { username, password }
    }

    /// Returns the user name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Returns the password.
    pub fn password(&self) -> &Secret {
        &self.password
    }
}

/// Who a client has proved to be, and as whom it may send.
///
/// Unless at least one address or domain is named, it may send as anybody. With one, the server refuses other senders in
/// MAIL and other authors in the message's `From` field before the handler is asked.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::server::Identity;
///
/// let ada = Identity::new("ada").with_domain("example.org".parse()?).with_address("ada@example.net".parse()?);
/// assert!(ada.may_send_as(&"news@example.org".parse()?));
/// assert!(!ada.may_send_as(&"ceo@example.net".parse()?));
/// # Ok::<(), posthaste_address::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    name: String,
    addresses: Vec<EmailAddress>,
    domains: Vec<Domain>,
}

impl Identity {
    /// Names somebody who may send as anybody.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            addresses: Vec::new(),
            domains: Vec::new(),
        }
    }

    /// Lets it send as `address`, and no longer as anybody.
    pub fn with_address(mut self, address: EmailAddress) -> Self {
        self.addresses.push(address);
        self
    }

    /// Lets it send as every address at `domain`, and no longer as anybody.
    pub fn with_domain(mut self, domain: Domain) -> Self {
        self.domains.push(domain);
        self
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it may send only as some.
    pub fn is_bound(&self) -> bool {
        !self.addresses.is_empty() || !self.domains.is_empty()
    }

    /// Whether it may send as `address`.
    pub fn may_send_as(&self, address: &EmailAddress) -> bool {
        !self.is_bound() || self.domains.contains(address.domain()) || self.addresses.contains(address)
    }
}
