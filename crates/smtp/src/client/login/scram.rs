//! SCRAM-SHA-256, with and without channel binding (RFC 5802, RFC 7677).

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The fewest iterations that a server may ask for (RFC 7677 §4).
const MIN_ITERATIONS: u32 = 4096;
/// The most: half a second of work, which a hostile server could ask of every connection.
const MAX_ITERATIONS: u32 = 1_000_000;

/// Why the exchange cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScramError {
    /// The user name or password has characters that SASLprep forbids (RFC 4013).
    #[error("the user name or password has characters that no SCRAM login can have")]
    Credentials,
    /// The server's message is not what RFC 5802 §7 has.
    #[error("the server's message is no SCRAM message")]
    Message,
    /// The server's nonce does not continue the client's: it is an answer to somebody else.
    #[error("the server's nonce does not continue the client's")]
    Nonce,
    /// The server asks for too few iterations to be safe, or for too many.
    #[error("the server asks for {0} iterations; from 4096 to 1000000 are taken")]
    Iterations(u32),
    /// The server refused, in a SCRAM message.
    #[error("the server refused the login")]
    Refused,
    /// The server could not prove that it knows the password's verifier.
    #[error("the server did not prove that it knows the password")]
    Signature,
}

/// What is said of the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// The client cannot bind, or there is no TLS.
    None,
    /// The client could, and the server does not offer it: a server that does offer it knows then that somebody cut it out.
    NotOffered,
    /// Bound by `tls-exporter` (RFC 9266).
    Exporter(Vec<u8>),
}

/// The first half of an exchange.
pub(super) struct Scram {
    binding: Binding,
    nonce: String,
    first_bare: String,
}

/// The second half: what the server has to prove.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) message: String,
    signature: Vec<u8>,
}

impl Scram {
    pub(super) fn new(username: &str, nonce: &[u8], binding: Binding) -> Result<Self, ScramError> {
        let username = stringprep::saslprep(username).map_err(|_| ScramError::Credentials)?;
        let username = username.replace('=', "=3D").replace(',', "=2C");
        let nonce = STANDARD.encode(nonce);
        Ok(Self {
            first_bare: format!("n={username},r={nonce}"),
            binding,
            nonce,
        })
    }

    fn gs2_header(&self) -> &'static str {
        match self.binding {
            Binding::None => "n,,",
            Binding::NotOffered => "y,,",
            Binding::Exporter(_) => "p=tls-exporter,,",
        }
    }

    /// The client-first-message.
    pub(super) fn first(&self) -> String {
        format!("{}{}", self.gs2_header(), self.first_bare)
    }

    /// Answers the server-first-message. It takes as long as the server's iterations.
    pub(super) fn answer(&self, server_first: &str, password: &str) -> Result<Proof, ScramError> {
        let (nonce, salt, iterations) = read_first(server_first)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(ScramError::Nonce);
        }
        let iterations = NonZeroU32::new(iterations)
            .filter(|count| (MIN_ITERATIONS..=MAX_ITERATIONS).contains(&count.get()))
            .ok_or(ScramError::Iterations(iterations))?;
        let password = stringprep::saslprep(password).map_err(|_| ScramError::Credentials)?;
        let password = Zeroizing::new(password.into_owned());

        let mut salted = Zeroizing::new([0; digest::SHA256_OUTPUT_LEN]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &salt,
            password.as_bytes(),
            salted.as_mut_slice(),
        );
        let client_key = sign(salted.as_slice(), b"Client Key");
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());

        let mut bound = self.gs2_header().as_bytes().to_vec();
        if let Binding::Exporter(exported) = &self.binding {
            bound.extend_from_slice(exported);
        }
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(bound));
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_signature = sign(stored_key.as_ref(), auth_message.as_bytes());
        let pairs = client_key.as_ref().iter().zip(client_signature.as_ref());
        let proof: Vec<u8> = pairs.map(|(key, signature)| key ^ signature).collect();
        let server_key = sign(salted.as_slice(), b"Server Key");
        let signature = sign(server_key.as_ref(), auth_message.as_bytes());
        Ok(Proof {
            message: format!("{without_proof},p={}", STANDARD.encode(proof)),
            signature: signature.as_ref().to_vec(),
        })
    }
}

impl Proof {
    /// Checks the server-final-message.
    pub(super) fn check(&self, server_final: &str) -> Result<(), ScramError> {
        let attribute = server_final.split(',').next().unwrap_or_default();
        if attribute.starts_with("e=") {
            return Err(ScramError::Refused);
        }
        let verifier = attribute.strip_prefix("v=").ok_or(ScramError::Message)?;
        let verifier = STANDARD.decode(verifier).map_err(|_| ScramError::Message)?;
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(&verifier, &self.signature);
        same.map_err(|_| ScramError::Signature)
    }
}

fn sign(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// Reads nonce, salt and iterations. An extension that has to be understood is none that is.
fn read_first(message: &str) -> Result<(&str, Vec<u8>, u32), ScramError> {
    let mut attributes = message.split(',');
    let mut next = |name: &str| {
        let attribute = attributes.next().and_then(|attribute| attribute.strip_prefix(name));
        attribute.ok_or(ScramError::Message)
    };
    let (nonce, salt, iterations) = (next("r=")?, next("s=")?, next("i=")?);
    let salt = STANDARD.decode(salt).map_err(|_| ScramError::Message)?;
    let is_number = iterations.bytes().all(|byte| byte.is_ascii_digit());
    let iterations = iterations.parse().map_err(|_| ScramError::Message)?;
    if !is_number || salt.is_empty() || nonce.is_empty() {
        return Err(ScramError::Message);
    }
    Ok((nonce, salt, iterations))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    /// The exchange of RFC 7677 §3.
    fn published() -> Scram {
        Scram {
            binding: Binding::None,
            nonce: "rOprNGfwEbeRWgbNEkqO".to_owned(),
            first_bare: "n=user,r=rOprNGfwEbeRWgbNEkqO".to_owned(),
        }
    }

    #[test]
    fn the_published_exchange_comes_out() {
        let scram = published();
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let proof = scram.answer(FIRST, "pencil").unwrap();
        assert_eq!(
            proof.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let last = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(proof.check(last), Ok(()));
        assert_eq!(
            proof.check("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
            Err(ScramError::Signature)
        );
        assert_eq!(proof.check("e=invalid-proof"), Err(ScramError::Refused));
        for junk in ["", "v=!", "x=1"] {
            assert_eq!(proof.check(junk), Err(ScramError::Message), "{junk}");
        }
    }

    #[test]
    fn first_messages_that_are_none_are_refused() {
        let nonce = "r=rOprNGfwEbeRWgbNEkqOx";
        for (first, error) in [
            ("", ScramError::Message),
            ("m=x,r=rOprNGfwEbeRWgbNEkqOx,s=AA==,i=4096", ScramError::Message),
            (&format!("{nonce},s=,i=4096"), ScramError::Message),
            (&format!("{nonce},s=!,i=4096"), ScramError::Message),
            (&format!("{nonce},s=AA==,i=+4096"), ScramError::Message),
            (&format!("{nonce},s=AA==,i=99999999999"), ScramError::Message),
            (&format!("{nonce},s=AA==,i=4095"), ScramError::Iterations(4095)),
            (&format!("{nonce},s=AA==,i=1000001"), ScramError::Iterations(1_000_001)),
            ("r=rOprNGfwEbeRWgbNEkqO,s=AA==,i=4096", ScramError::Nonce),
            ("r=other,s=AA==,i=4096", ScramError::Nonce),
        ] {
            assert_eq!(published().answer(first, "pencil").unwrap_err(), error, "{first}");
        }
    }

    #[test]
    fn names_are_prepared_and_escaped_and_the_channel_is_bound() {
        let scram = Scram::new("a=b,\u{2168}", &[1; 16], Binding::Exporter(vec![7; 32])).unwrap();
        let nonce = STANDARD.encode([1; 16]);
        assert_eq!(scram.first(), format!("p=tls-exporter,,n=a=3Db=2CIX,r={nonce}"));
        let proof = scram.answer(&format!("r={nonce}x,s=AA==,i=4096"), "p").unwrap();
        let bound: Vec<u8> = [b"p=tls-exporter,,".as_slice(), &[7; 32]].concat();
        assert!(
            proof
                .message
                .starts_with(&format!("c={},r={nonce}x,p=", STANDARD.encode(bound)))
        );
        assert_eq!(
            Scram::new("a\u{7}", &[1; 16], Binding::None).err(),
            Some(ScramError::Credentials)
        );
        assert_eq!(
            scram.answer(&format!("r={nonce}x,s=AA==,i=4096"), "p\0"),
            Err(ScramError::Credentials)
        );
        assert!(
            Scram::new("a", &[1; 16], Binding::NotOffered)
                .unwrap()
                .first()
                .starts_with("y,,n=a,r=")
        );
    }
}
