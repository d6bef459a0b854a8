//! XCLIENT: a proxy tells a server behind it who the client is (an extension of Postfix).

use super::budget::{Budget, Step};
use super::connection::refused;
use super::wire::Wire;
use crate::config::ConfigError;
use crate::error::{Failed, SmtpError};
use crate::protocol::{Extensions, xtext};

/// The longest command that is sent; servers take longer ones than this.
const MAX_LINE: usize = 512;

/// Checks what a caller wants to say.
pub(super) fn check(attributes: &[(String, String)]) -> Result<(), ConfigError> {
    let invalid = |reason| ConfigError::Invalid {
        setting: "xclient",
        reason,
    };
    for (name, value) in attributes {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid("a name holds something else than letters and digits"));
        }
        if value.is_empty() || xtext::encode(value).len() + name.len() > MAX_LINE - 12 {
            return Err(invalid("a value is empty or too long"));
        }
    }
    Ok(())
}

/// Tells the server. It stands before EHLO again then.
pub(super) async fn introduce(
    wire: &mut Wire,
    extensions: &Extensions,
    attributes: &[(String, String)],
    budget: &Budget,
) -> Result<(), Failed> {
    let known = |name: &str| {
        let mut offered = extensions.parameters("XCLIENT");
        offered.any(|offered| offered.eq_ignore_ascii_case(name))
    };
    if !attributes.iter().all(|(name, _)| known(name)) {
        let extension = "XCLIENT with every attribute that is set";
        return Err(Step::Ehlo.failed(SmtpError::MissingExtension { extension }));
    }
    let mut lines = vec!["XCLIENT".to_owned()];
    for (name, value) in attributes {
        let attribute = format!(" {}={}", name.to_ascii_uppercase(), xtext::encode(value));
        match lines
            .last_mut()
            .filter(|line| line.len() + attribute.len() + 2 <= MAX_LINE)
        {
            Some(line) => line.push_str(&attribute),
            None => lines.push(format!("XCLIENT{attribute}")),
        }
    }
    for line in lines {
        wire.command(format!("{line}\r\n").as_bytes(), Step::Ehlo, budget)
            .await?;
        let reply = wire.reply(Step::Ehlo, budget).await?;
        if reply.code() != 220 {
            return Err(refused(Step::Ehlo, &reply));
        }
    }
    Ok(())
}
