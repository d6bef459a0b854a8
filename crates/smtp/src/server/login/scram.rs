//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side: what is stored, and the exchange.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The longest nonce that a client may choose.
const MAX_NONCE: usize = 512;

/// What a server stores of a password so that it can check SCRAM-SHA-256 logins: no password, and nothing that logs in
/// anywhere. `Debug` does not show it.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::server::ScramKeys;
///
/// let salt = b"sixteen random octets";
/// let keys = ScramKeys::derive("pencil", salt, ScramKeys::ITERATIONS)?;
/// let stored = keys.to_text();
/// assert!(stored.starts_with("SCRAM-SHA-256$10000:"));
/// assert_eq!(ScramKeys::from_text(&stored)?, keys);
/// # Ok::<(), posthaste_smtp::server::ScramKeysError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    salt: Vec<u8>,
    iterations: NonZeroU32,
    stored_key: [u8; 32],
    server_key: Zeroizing<[u8; 32]>,
}

/// Why there are no [`ScramKeys`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScramKeysError {
    /// The password has characters that SASLprep forbids (RFC 4013).
    #[error("the password has characters that no SCRAM login can have")]
    Password,
    /// There are fewer iterations than 4096, or more than a million (RFC 7677 §4).
    #[error("there are {0} iterations; from 4096 to 1000000 are taken")]
    Iterations(u32),
    /// The salt is empty.
    #[error("the salt is empty")]
    Salt,
    /// The text does not have the form of RFC 5803.
    #[error("the text is no SCRAM-SHA-256 verifier")]
    Text,
}

impl ScramKeys {
    /// How many iterations are a good choice.
    pub const ITERATIONS: u32 = 10_000;

    /// Derives the keys from a password and a random salt, of 16 octets say. This takes a while: that is its purpose.
    ///
    /// # Errors
    ///
    /// [`ScramKeysError`] names the argument that cannot be used.
    pub fn derive(password: &str, salt: &[u8], iterations: u32) -> Result<Self, ScramKeysError> {
        let count = allowed(iterations)?;
        if salt.is_empty() {
            return Err(ScramKeysError::Salt);
        }
        let password = stringprep::saslprep(password).map_err(|_| ScramKeysError::Password)?;
        let password = Zeroizing::new(password.into_owned());
        let mut salted = Zeroizing::new([0; 32]);
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, count, salt, password.as_bytes(), salted.as_mut_slice());
        let client_key = sign(salted.as_slice(), b"Client Key");
        Ok(Self {
            salt: salt.to_vec(),
            iterations: count,
            stored_key: hash(client_key.as_slice()),
            server_key: sign(salted.as_slice(), b"Server Key"),
        })
    }

    /// Reads the form of RFC 5803, which PostgreSQL and others store too: `SCRAM-SHA-256$iterations:salt$keys`.
    ///
    /// # Errors
    ///
    /// [`ScramKeysError`]
    pub fn from_text(text: &str) -> Result<Self, ScramKeysError> {
        let read = || {
            let (iterations, rest) = text.strip_prefix("SCRAM-SHA-256$")?.split_once(':')?;
            let (salt, keys) = rest.split_once('$')?;
            let (stored, server) = keys.split_once(':')?;
            let key = |text: &str| <[u8; 32]>::try_from(STANDARD.decode(text).ok()?).ok();
            let salt = STANDARD.decode(salt).ok().filter(|salt| !salt.is_empty())?;
            Some((iterations.parse().ok()?, salt, key(stored)?, key(server)?))
        };
        let (iterations, salt, stored_key, server_key) = read().ok_or(ScramKeysError::Text)?;
        Ok(Self {
            salt,
            iterations: allowed(iterations)?,
            stored_key,
            server_key: Zeroizing::new(server_key),
        })
    }

    /// Writes what [`from_text`](Self::from_text) reads. Keep it as you would a password's hash.
    pub fn to_text(&self) -> String {
        let encode = |octets: &[u8]| STANDARD.encode(octets);
        format!(
            "SCRAM-SHA-256${}:{}${}:{}",
            self.iterations,
            encode(&self.salt),
            encode(&self.stored_key),
            encode(self.server_key.as_slice())
        )
    }

    /// Makes keys that nobody's password fits, the same for the same name: who asks for a name that is not known
    /// cannot tell.
    pub(super) fn of_nobody(secret: &[u8], username: &str) -> Self {
        let seed = sign(secret, username.as_bytes());
        Self {
            salt: seed.iter().copied().take(16).collect(),
            iterations: NonZeroU32::new(Self::ITERATIONS).unwrap_or(NonZeroU32::MIN),
            stored_key: hash(seed.as_slice()),
            server_key: sign(seed.as_slice(), b"nobody"),
        }
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramKeys")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

fn allowed(iterations: u32) -> Result<NonZeroU32, ScramKeysError> {
    let count = NonZeroU32::new(iterations).filter(|count| (4096..=1_000_000).contains(&count.get()));
    count.ok_or(ScramKeysError::Iterations(iterations))
}

fn sign(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    let mut signature = Zeroizing::new([0; 32]);
    signature
        .iter_mut()
        .zip(tag.as_ref())
        .for_each(|(to, from)| *to = *from);
    signature
}

fn hash(message: &[u8]) -> [u8; 32] {
    let mut hashed = [0; 32];
    let digest = digest::digest(&digest::SHA256, message);
    hashed
        .iter_mut()
        .zip(digest.as_ref())
        .for_each(|(to, from)| *to = *from);
    hashed
}

/// Why an exchange fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A message does not have the form that it must have, or asks for what is not there.
    Message,
    /// The proof is wrong, or somebody tampered with the exchange.
    Proof,
}

/// What the server knows of its channel.
pub(super) struct Channel<'c> {
    /// The `tls-exporter` of the connection, if it has one (RFC 9266).
    pub(super) exporter: Option<&'c [u8; 32]>,
    /// Whether the client has chosen the mechanism that binds to it.
    pub(super) plus: bool,
    /// Whether that mechanism was offered.
    pub(super) offered_plus: bool,
}

/// The client's first message.
pub(super) struct First {
    /// As SASLprep has it.
    pub(super) username: String,
    bare: String,
    nonce: String,
    /// What the client's last message has to repeat.
    bound: Vec<u8>,
}

/// An exchange in which the server has answered once.
pub(super) struct Challenged {
    first: First,
    pub(super) message: String,
    nonce: String,
    keys: ScramKeys,
}

impl First {
    pub(super) fn read(message: &str, channel: &Channel<'_>) -> Result<Self, Fault> {
        let mut parts = message.splitn(3, ',');
        let (Some(flag), Some(authorization), Some(bare)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Fault::Message);
        };
        let mut bound = format!("{flag},{authorization},").into_bytes();
        match (flag, channel.plus) {
            ("n", false) => {}
            // The client believes that there is nothing to bind to; it was told otherwise, and somebody cut that out.
            ("y", false) if channel.offered_plus => return Err(Fault::Proof),
            ("y", false) => {}
            ("p=tls-exporter", true) => bound.extend_from_slice(channel.exporter.ok_or(Fault::Message)?),
            _ => return Err(Fault::Message),
        }
        let mut attributes = bare.split(',');
        let mut next = |name: &str| {
            let attribute = attributes.next().and_then(|attribute| attribute.strip_prefix(name));
            attribute.filter(|value| !value.is_empty()).ok_or(Fault::Message)
        };
        let (username, nonce) = (name(next("n=")?)?, next("r=")?);
        let is_nonce = nonce.len() <= MAX_NONCE && nonce.bytes().all(|byte| byte.is_ascii_graphic());
        let acts_for_itself = match authorization.strip_prefix("a=") {
            Some(other) => name(other)? == username,
            None => authorization.is_empty(),
        };
        if !is_nonce || !acts_for_itself {
            return Err(Fault::Message);
        }
        Ok(Self {
            username,
            nonce: nonce.to_owned(),
            bare: bare.to_owned(),
            bound,
        })
    }

    /// Answers with the salt of `keys`; `nonce` is random.
    pub(super) fn answer(self, keys: ScramKeys, nonce: &[u8]) -> Challenged {
        let nonce = format!("{}{}", self.nonce, STANDARD.encode(nonce));
        Challenged {
            message: format!("r={nonce},s={},i={}", STANDARD.encode(&keys.salt), keys.iterations),
            nonce,
            keys,
            first: self,
        }
    }
}

impl Challenged {
    /// Checks the client's proof, and returns the message that proves that the server knows the keys.
    pub(super) fn check(&self, last: &str) -> Result<String, Fault> {
        let (without_proof, proof) = last.rsplit_once(",p=").ok_or(Fault::Message)?;
        let proof = STANDARD.decode(proof).map_err(|_| Fault::Message)?;
        let mut attributes = without_proof.split(',');
        let mut next = |name: &str| {
            let attribute = attributes.next().and_then(|attribute| attribute.strip_prefix(name));
            attribute.ok_or(Fault::Message)
        };
        let (bound, nonce) = (next("c=")?, next("r=")?);
        let bound = STANDARD.decode(bound).map_err(|_| Fault::Message)?;
        if bound != self.first.bound || nonce != self.nonce {
            return Err(Fault::Proof);
        }
        let auth_message = format!("{},{},{without_proof}", self.first.bare, self.message);
        let signature = sign(&self.keys.stored_key, auth_message.as_bytes());
        if proof.len() != signature.len() {
            return Err(Fault::Proof);
        }
        let client_key: Zeroizing<Vec<u8>> = Zeroizing::new(
            proof
                .iter()
                .zip(signature.iter())
                .map(|(one, other)| one ^ other)
                .collect(),
        );
        verify_slices_are_equal(&hash(&client_key), &self.keys.stored_key).map_err(|_| Fault::Proof)?;
        let signature = sign(self.keys.server_key.as_slice(), auth_message.as_bytes());
        Ok(format!("v={}", STANDARD.encode(signature.as_slice())))
    }
}

/// Reads a user name, in which commas and equals signs are written otherwise.
fn name(text: &str) -> Result<String, Fault> {
    let mut pieces = text.split('=');
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        if let Some(rest) = piece.strip_prefix("2C") {
            name.push(',');
            name.push_str(rest);
        } else if let Some(rest) = piece.strip_prefix("3D") {
            name.push('=');
            name.push_str(rest);
        } else {
            return Err(Fault::Message);
        }
    }
    let name = stringprep::saslprep(&name).map_err(|_| Fault::Message)?;
    Ok(name.into_owned()).and_then(|name| if name.is_empty() { Err(Fault::Message) } else { Ok(name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_CHANNEL: Channel<'_> = Channel {
        exporter: None,
        plus: false,
        offered_plus: false,
    };

    /// The server's side of the exchange of RFC 7677 §3.
    fn published() -> Challenged {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = ScramKeys::derive("pencil", &salt, 4096).unwrap();
        let first = First::read("n,,n=user,r=rOprNGfwEbeRWgbNEkqO", &NO_CHANNEL).unwrap();
        assert_eq!(first.username, "user");
        let mut challenged = first.answer(keys, b"");
        challenged.nonce.push_str("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        challenged.message = format!("r={},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", challenged.nonce);
        challenged
    }

    #[test]
    fn the_published_exchange_comes_out() {
        let challenged = published();
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(
            challenged.check(last).as_deref(),
            Ok("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        );
        for (from, to, fault) in [
            ("p=d", "p=e", Fault::Proof),
            ("c=biws", "c=eSws", Fault::Proof),
            ("r=r", "r=q", Fault::Proof),
            (",p=", ",x=", Fault::Message),
            ("p=dHzb", "p=", Fault::Proof),
            ("c=biws", "c=!", Fault::Message),
            ("c=biws,", "", Fault::Message),
        ] {
            assert_eq!(challenged.check(&last.replacen(from, to, 1)), Err(fault), "{from} {to}");
        }
    }

    #[test]
    fn first_messages_are_read_strictly() {
        let offered = Channel {
            offered_plus: true,
            ..NO_CHANNEL
        };
        let plus = Channel {
            exporter: Some(&[7; 32]),
            plus: true,
            offered_plus: true,
        };
        let read = |message: &str, channel: &Channel<'_>| First::read(message, channel).map(|first| first.username);
        assert_eq!(read("y,,n=user,r=x", &NO_CHANNEL).as_deref(), Ok("user"));
        assert_eq!(read("n,a=a=2Cb=3D,n=a=2Cb=3D,r=x", &NO_CHANNEL).as_deref(), Ok("a,b="));
        assert_eq!(read("p=tls-exporter,,n=user,r=x", &plus).as_deref(), Ok("user"));
        assert_eq!(read("y,,n=user,r=x", &offered), Err(Fault::Proof));
        for (message, channel) in [
            ("n,,n=user,r=x", &plus),
            ("p=tls-unique,,n=user,r=x", &plus),
            ("p=tls-exporter,,n=user,r=x", &NO_CHANNEL),
            ("n,a=other,n=user,r=x", &NO_CHANNEL),
            ("n,,m=1,n=user,r=x", &NO_CHANNEL),
            ("n,,n=,r=x", &NO_CHANNEL),
            ("n,,n=us=er,r=x", &NO_CHANNEL),
            ("n,,n=user,r=", &NO_CHANNEL),
            ("n,,n=user", &NO_CHANNEL),
            ("n", &NO_CHANNEL),
            ("", &NO_CHANNEL),
        ] {
            assert_eq!(read(message, channel), Err(Fault::Message), "{message:?}");
        }
        let long = format!("n,,n=user,r={}", "x".repeat(MAX_NONCE + 1));
        assert_eq!(read(&long, &NO_CHANNEL), Err(Fault::Message));
    }

    #[test]
    fn keys_are_checked_and_not_shown() {
        let derive = |password, salt: &[u8], iterations| ScramKeys::derive(password, salt, iterations).err();
        assert_eq!(derive("x", b"", 4096), Some(ScramKeysError::Salt));
        assert_eq!(derive("x", b"salt", 4095), Some(ScramKeysError::Iterations(4095)));
        assert_eq!(derive("x\u{7}", b"salt", 4096), Some(ScramKeysError::Password));
        let keys = ScramKeys::derive("x", b"salt", 4096).unwrap();
        let text = keys.to_text();
        assert_eq!(ScramKeys::from_text(&text), Ok(keys.clone()));
        assert!(!format!("{keys:?}").contains("c2FsdA"));
        for bad in ["", "SCRAM-SHA-1$", "SCRAM-SHA-256$4096:$a:b"] {
            assert_eq!(ScramKeys::from_text(bad), Err(ScramKeysError::Text), "{bad}");
        }
        assert_eq!(
            ScramKeys::from_text(&text.replace("4096", "1")),
            Err(ScramKeysError::Iterations(1))
        );
    }

    #[test]
    fn nobody_looks_like_somebody() {
        let keys = ScramKeys::of_nobody(b"secret", "ada");
        assert_eq!(keys, ScramKeys::of_nobody(b"secret", "ada"));
        assert_ne!(keys, ScramKeys::of_nobody(b"secret", "bob"));
        assert_ne!(keys, ScramKeys::of_nobody(b"other", "ada"));
        assert_eq!(keys.salt.len(), 16);
    }
}
