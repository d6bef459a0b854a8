//! What the client logs in with.

use std::fmt;
use std::sync::Arc;

use super::{ConfigError, SmtpConfig};
use crate::preset::PresetUser;
use crate::secret::Secret;
use crate::token::TokenSource;

/// A user, and how they prove who they are.
#[derive(Clone)]
pub(crate) enum Login {
    Password {
        username: String,
        password: Secret,
    },
    Token {
        username: String,
        source: Arc<dyn TokenSource>,
    },
}

/// Shows neither the password nor the user's name: with some services that is the same token.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password",
            Self::Token { .. } => "Token",
        })
    }
}

impl SmtpConfig {
    /// Puts together what the settings say about logging in.
    pub(crate) fn login(&self) -> Result<Option<Login>, ConfigError> {
        let invalid = |setting, reason| Err(ConfigError::Invalid { setting, reason });
        let username = self.username.as_deref().or_else(|| {
            let password = self.password.as_ref()?;
            match self.preset?.username() {
                PresetUser::Own => None,
                PresetUser::Fixed(username) => Some(username),
                PresetUser::Password => Some(password.expose()),
            }
        });
        let login = match (username, &self.password, &self.token_source) {
            (None, None, None) => return Ok(None),
            (None, ..) => return Err(ConfigError::Missing("username")),
            (Some(_), None, None) => return Err(ConfigError::Missing("password")),
            (Some(_), Some(_), Some(_)) => return invalid("token", "there is a password too"),
            (Some(username), Some(password), None) => Login::Password {
                username: username.to_owned(),
                password: password.clone(),
            },
            (Some(username), None, Some(source)) => Login::Token {
                username: username.to_owned(),
                source: Arc::clone(source),
            },
        };
        let (username, is_token) = match &login {
            Login::Password { username, password } => {
                if username.contains('\0') || password.expose().contains('\0') {
                    return invalid("credentials", "they hold a NUL");
                }
                (username, false)
            }
            Login::Token { username, .. } => (username, true),
        };
        if is_token && username.contains(|c: char| c.is_control()) {
            return invalid("credentials", "the user name holds a control character");
        }
        if !self
            .mechanisms
            .iter()
            .any(|mechanism| mechanism.takes_token() == is_token)
        {
            return invalid("mechanisms", "none of them takes what there is to log in with");
        }
        Ok(Some(login))
    }
}
