//! E-mail addresses and URLs, as strictly as Django reads them: enough to catch what is not one.

use std::net::IpAddr;

/// The message about a text that is no e-mail address.
pub(crate) const NO_EMAIL: &str = "Enter a valid email address.";
/// The message about a text that is no URL.
pub(crate) const NO_URL: &str = "Enter a valid URL.";

/// Whether this is an e-mail address: a name in dots (or quotes), and a domain in dots, a literal address, or localhost.
pub(crate) fn is_email(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(name, domain)| is_mailbox(name) && is_mail_domain(domain))
}

fn is_mailbox(name: &str) -> bool {
    if let Some(quoted) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return is_quotable(quoted);
    }
    name.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c))
    })
}

/// What may stand between quotes: ASCII without line ends; a quote or a backslash only after a backslash.
fn is_quotable(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let kept = if c == '\\' { chars.next() } else { Some(c).filter(|c| *c != '"') };
        if !kept.is_some_and(|c| c.is_ascii() && !matches!(c, '\0' | '\n' | '\r')) {
            return false;
        }
    }
    true
}

fn is_mail_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return literal.parse::<IpAddr>().is_ok();
    }
    domain.eq_ignore_ascii_case("localhost") || is_domain(domain)
}

/// At least two labels; the last has at least two characters.
fn is_domain(domain: &str) -> bool {
    domain.rsplit_once('.').is_some_and(|(_, last)| last.chars().count() >= 2)
        && domain.split('.').all(is_label)
}

/// Letters and digits of any script, with hyphens inside.
fn is_label(label: &str) -> bool {
    let length = label.chars().count();
    (1..=63).contains(&length)
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && c.is_alphanumeric()))
}

/// Whether this is an absolute URL of the web.
pub(crate) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let is_known = ["http", "https", "ftp", "ftps"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    is_known && is_host_and_port(host_and_port) && !rest.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_host = if let Some(literal) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        literal.parse::<std::net::Ipv6Addr>().is_ok()
    } else {
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::Ipv4Addr>().is_ok()
            || is_domain(host.strip_suffix('.').unwrap_or(host))
    };
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_are_told_from_other_texts() {
        for text in [
            "a@b.co",
            "first.last+tag@sub.example.com",
            "\"a b\\\"\"@example.com",
            "a@localhost",
            "a@[127.0.0.1]",
            "a@[::1]",
            "a@xn--80ak6aa92e.com",
            "a@bücher.example",
        ] {
            assert!(is_email(text), "{text}");
        }
        for text in [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a b@c.de",
            "a@b..co",
            "a@-b.co",
            "a@b-.co",
            "a@b.c",
            ".a@b.co",
            "a.@b.co",
            "a..b@c.de",
            "a@[300.0.0.1]",
            "é@b.co",
            "a@b.co ",
            "a@b_c.de",
            "\"a\n\"@b.co",
            "a@b.co\n",
        ] {
            assert!(!is_email(text), "{text}");
        }
    }

    #[test]
    fn urls_are_told_from_other_texts() {
        for text in [
            "https://cdn.example.com/calls/1.mp3?x=y#z",
            "http://localhost:9000/a",
            "HTTP://user:secret@10.0.0.1/",
            "https://[::1]:80/é",
            "ftp://example.com",
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "",
            "example.com",
            "//example.com",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http://",
            "http://a b.com",
            "http://exa mple.com/",
            "https://example.com/a b",
            "http://example.com:99999/",
            "http://nodots/",
            "http://[::1",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
