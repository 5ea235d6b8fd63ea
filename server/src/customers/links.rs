//! Links to neighbouring pages: absolute, with every other parameter kept, in the body and as a `Link` header
//! (RFC 8288).

use std::net::SocketAddr;

use axum::http::header::{HOST, LINK};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};

use crate::Error;
use crate::query::Query;

/// Where links point to: scheme and authority.
#[derive(Debug)]
pub(crate) enum Origin {
    /// What the operator said.
    Public(String),
    /// What the client said it called, or this address when it said nothing usable.
    Client { fallback: String },
}

impl Origin {
    /// The operator's public URL, if there is one, must be `http` or `https`, with no query.
    pub(crate) fn new(public_url: Option<&str>, bound: SocketAddr) -> Result<Self, Error> {
        let Some(url) = public_url else {
            return Ok(Self::Client { fallback: callable(bound).to_string() });
        };
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let is_plain = rest.is_some_and(|rest| {
            let is_url = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
            !rest.is_empty() && rest.bytes().all(is_url)
        });
        if is_plain {
            Ok(Self::Public(url.trim_end_matches('/').to_owned()))
        } else {
            Err(Error::BadPublicUrl(url.to_owned()))
        }
    }

    /// The origin of the links in the answer to a request with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> String {
        match self {
            Self::Public(url) => url.clone(),
            Self::Client { fallback } => {
                let said = headers.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
                format!("http://{}", said.unwrap_or(fallback))
            }
        }
    }
}

/// An address that a client on this machine can call, for an address that was bound.
fn callable(bound: SocketAddr) -> SocketAddr {
    let mut address = bound;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

/// A host and perhaps a port, and nothing that would change the meaning of a link.
fn is_host(text: &str) -> bool {
    text.parse::<Authority>().is_ok()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

/// The neighbours of a page; a link is absent exactly when there is nothing behind it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Links {
    pub(crate) next: Option<String>,
    pub(crate) previous: Option<String>,
}

impl Links {
    /// The `Link` header; `None` for a page without neighbours.
    pub(crate) fn header(&self) -> Option<(axum::http::HeaderName, HeaderValue)> {
        let links: Vec<String> = [(&self.next, "next"), (&self.previous, "prev")]
            .into_iter()
            .filter_map(|(url, relation)| Some(format!("<{}>; rel=\"{relation}\"", url.as_ref()?)))
            .collect();
        if links.is_empty() {
            return None;
        }
        Some((LINK, HeaderValue::try_from(links.join(", ")).ok()?))
    }
}

/// A link to the same path with some parameters replaced.
pub(crate) fn link(
    origin: &str,
    path: &str,
    query: &Query,
    replaced: &[&str],
    added: &[(&str, &str)],
) -> String {
    format!("{origin}{path}?{}", query.rewritten(replaced, added))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: Option<&'static str>) -> HeaderMap {
        host.map(|host| (HOST, HeaderValue::from_static(host))).into_iter().collect()
    }

    #[test]
    fn links_point_to_where_the_client_called() {
        let origin = Origin::new(None, "0.0.0.0:8080".parse().unwrap()).unwrap();
        assert_eq!(origin.of(&asked(Some("api.example.com"))), "http://api.example.com");
        assert_eq!(origin.of(&asked(Some("[::1]:9000"))), "http://[::1]:9000");
        for unusable in
            [None, Some(""), Some("a/b"), Some("a b"), Some("user@evil"), Some("<x>"), Some("a\"b")]
        {
            assert_eq!(origin.of(&asked(unusable)), "http://127.0.0.1:8080", "{unusable:?}");
        }
    }

    #[test]
    fn an_operator_can_say_where_links_point_to() {
        let bound = "127.0.0.1:1".parse().unwrap();
        let origin = Origin::new(Some("https://api.example.com/"), bound).unwrap();
        assert_eq!(origin.of(&asked(Some("inner"))), "https://api.example.com");
        for bad in ["api.example.com", "ftp://x", "https://", "https://x?y", "https://x y"] {
            assert!(Origin::new(Some(bad), bound).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_header_holds_the_links_of_the_body() {
        let links =
            Links { next: Some("http://h/?a=1".to_owned()), previous: Some("http://h/?a=0".to_owned()) };
        let (_, value) = links.header().unwrap();
        assert_eq!(value, "<http://h/?a=1>; rel=\"next\", <http://h/?a=0>; rel=\"prev\"");
        assert_eq!(Links::default().header(), None);
    }
}
