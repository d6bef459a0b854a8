//! CRAM-MD5 (RFC 2195).

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;

/// Answers a challenge: the user name, and the challenge signed with the password.
pub(super) fn answer(username: &str, password: &str, challenge: &[u8]) -> String {
    let digest = match Hmac::<Md5>::new_from_slice(password.as_bytes()) {
        Ok(mut mac) => {
            mac.update(challenge);
            mac.finalize().into_bytes().to_vec()
        }
        // A key of HMAC has any length.
        Err(_) => Vec::new(),
    };
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digest: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    format!("{username} {digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_exchange_comes_out() {
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(
            answer("tim", "tanstaaftanstaaf", challenge),
            "tim b913a602c7eda7a495b4e6e7334d3890"
        );
    }
}
