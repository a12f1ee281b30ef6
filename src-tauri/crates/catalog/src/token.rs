//! The token that a publisher may want, kept in the system's keyring and nowhere else.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::{Error, Result};

/// Under what the keyring files the tokens, one for each host.
const SERVICE: &str = "Bagel Studio";

/// What opens a publisher's door. It is never shown, logged or written to a file of ours.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Takes what the user typed; nothing when it cannot be a token.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_plain = !text.is_empty() && text.len() <= 512 && text.bytes().all(|it| it.is_ascii_graphic());
        is_plain.then(|| Self(SecretString::from(text)))
    }

    /// The token kept for a host.
    ///
    /// Asks the system, which may ask the user: blocks, and is not for async code.
    ///
    /// # Errors
    /// [`Error::Keyring`] when there is no keyring or it stays locked.
    pub fn read(host: &str) -> Result<Option<Self>> {
        match entry(host)?.get_password() {
            Ok(text) => Ok(Self::new(&text)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Keeps the token for a host; blocks.
    pub fn keep(&self, host: &str) -> Result<()> {
        entry(host)?.set_password(self.reveal()).map_err(|error| failed(&error))
    }

    /// Forgets the token of a host; blocks.
    pub fn forget(host: &str) -> Result<()> {
        match entry(host)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// For the one header that it is made for.
    pub(crate) fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(hidden)")
    }
}

fn entry(host: &str) -> Result<keyring::Entry> {
    keyring::Entry::new(SERVICE, host).map_err(|error| failed(&error))
}

/// What the keyring says, which never holds the secret in these variants.
fn failed(error: &keyring::Error) -> Error {
    match error {
        // These carry what was stored.
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) => {
            Error::Keyring("what it holds is no token".to_owned())
        }
        other => Error::Keyring(other.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_shows_itself_nowhere() {
        let token = Token::new(" hf_canary \n").unwrap();
        assert_eq!(token.reveal(), "hf_canary");
        assert!(!format!("{token:?} {:?}", Some(&token)).contains("canary"));
        for wrong in ["", "  ", "two words", "line\nbreak", "ümlaut", &"x".repeat(513)] {
            assert!(Token::new(wrong).is_none(), "{wrong:?}");
        }
    }
}
