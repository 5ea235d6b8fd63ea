//! The `Authorization` header: which token a request brings.

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

/// SHA-256 of a token: all that the database keeps of it, and all that is looked up.
pub(crate) type TokenHash = [u8; 32];

/// Reads `Authorization: Bearer <token>`. The scheme may be written in any case; another scheme counts as no
/// credentials at all.
pub(crate) fn token_hash(headers: &HeaderMap) -> Result<TokenHash, Refusal> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Refusal::NoCredentials)?.as_bytes();
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if !words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer")) {
        return Err(Refusal::NoCredentials);
    }
    let Some(token) = words.next() else {
        return Err(Refusal::BadCredentials("Invalid token header. No credentials provided."));
    };
    if words.next().is_some() {
        return Err(Refusal::BadCredentials("Invalid token header. Token string should not contain spaces."));
    }
    Ok(Sha256::digest(token).into())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(value: &'static str) -> Result<TokenHash, Refusal> {
        token_hash(&HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]))
    }

    #[test]
    fn a_token_is_looked_up_by_its_hash() {
        let hash = read("bearer  token123").unwrap();
        // printf token123 | sha256sum
        assert_eq!((hash[..4].to_vec(), hash[31]), (vec![0xb1, 0x3a, 0xe3, 0x4b], 0xb0));
    }

    #[test]
    fn headers_that_bring_no_token_are_told_apart() {
        assert_eq!(token_hash(&HeaderMap::new()), Err(Refusal::NoCredentials));
        for other in ["", "Basic dTpw", "Token token123", "Bearertoken123"] {
            assert_eq!(read(other), Err(Refusal::NoCredentials), "{other}");
        }
        assert_eq!(
            read("Bearer"),
            Err(Refusal::BadCredentials("Invalid token header. No credentials provided."))
        );
        assert_eq!(
            read("Bearer a b"),
            Err(Refusal::BadCredentials("Invalid token header. Token string should not contain spaces."))
        );
    }
}
