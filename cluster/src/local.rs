//! Whether a database URL leads to this machine.
//!
//! Decided by what the URL and the `PG…` variables say, without a connection and without asking a name server: a name
//! that is not this machine's own counts as another machine. So the answer errs to the side of caution, except for a
//! tunnel or a container whose port is forwarded to here, which look like this machine to everybody.

use std::net::IpAddr;

use sqlx::postgres::PgConnectOptions;
use sysinfo::{Networks, System};

use crate::{Error, databases};

/// Whether the server of `url` is on this machine: it is reached by a Unix socket, by `localhost`, by a loopback address,
/// or by an address or the name of this machine. The parameters `host` and `hostaddr` of the URL count, and so do `PGHOST`
/// and `PGHOSTADDR` where the URL names no host; as in the driver, the last host named wins, and a socket wins over hosts.
pub fn is_local(url: &str) -> Result<bool, Error> {
    let options = databases::parse(url)?;
    Ok(leads_here(&options, &This { name: System::host_name(), addresses: addresses() }))
}

/// How this machine is called.
struct This {
    name: Option<String>,
    addresses: Vec<IpAddr>,
}

fn addresses() -> Vec<IpAddr> {
    let networks = Networks::new_with_refreshed_list();
    networks.values().flat_map(sysinfo::NetworkData::ip_networks).map(|network| network.addr).collect()
}

fn leads_here(options: &PgConnectOptions, this: &This) -> bool {
    let host = options.get_host();
    // A host that begins like a path is the folder of a socket too.
    if options.get_socket().is_some() || host.starts_with('/') {
        return true;
    }
    // Addresses of version 6 stand in brackets in a URL.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => {
            // `::ffff:127.0.0.1` is 127.0.0.1.
            let address = address.to_canonical();
            // Linux connects 0.0.0.0 and :: to itself.
            address.is_loopback() || address.is_unspecified() || this.addresses.contains(&address)
        }
        Err(_) => is_own_name(host, this.name.as_deref()),
    }
}

/// `localhost` and what lies below it (RFC 6761, 6.3), or the machine's own name. The dot at the end of an absolute name
/// means nothing here, and neither does case.
fn is_own_name(host: &str, own: Option<&str>) -> bool {
    let plain = |name: &str| name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let host = plain(host);
    host == "localhost"
        || host.ends_with(".localhost")
        || own.is_some_and(|own| !host.is_empty() && plain(own) == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_to_db1(url: &str) -> bool {
        let this = This {
            name: Some("DB1.example.com".to_owned()),
            addresses: vec!["10.1.2.3".parse().expect("an address"), "fd00::7".parse().expect("an address")],
        };
        leads_here(&databases::parse(url).expect(url), &this)
    }

    #[test]
    fn sockets_loopback_and_the_machines_own_addresses_and_name_are_here() {
        for url in [
            "postgres://me:secret@localhost:5432/x",
            "postgres://LocalHost./x",
            "postgres://db.localhost/x",
            "postgres://127.0.0.1/x",
            "postgres://127.8.9.10/x",
            "postgres://[::1]:5432/x",
            "postgres://[::ffff:127.0.0.1]/x",
            "postgres://0.0.0.0/x",
            "postgres://10.1.2.3/x",
            "postgres://[fd00::7]/x",
            "postgres://db1.example.com/x",
            "postgres://%2Fvar%2Frun%2Fpostgresql/x",
            "postgres:///x?host=/var/run/postgresql",
            "postgres://other.example.com/x?host=/var/run/postgresql",
            "postgres://other.example.com/x?host=localhost",
            "postgres://other.example.com/x?hostaddr=127.0.0.1",
        ] {
            assert!(leads_to_db1(url), "{url}");
        }
    }

    #[test]
    fn every_other_address_and_name_is_another_machine() {
        for url in [
            "postgres://10.1.2.4/x",
            "postgres://128.0.0.1/x",
            "postgres://[fd00::8]/x",
            "postgres://db2.example.com/x",
            "postgres://db1/x",
            "postgres://localhost.example.com/x",
            "postgres://notlocalhost/x",
            "postgres://localhost/x?host=db2.example.com",
            "postgres://localhost/x?hostaddr=10.1.2.4",
            "postgres://127.0.0.1/x?host=localhost&hostaddr=10.1.2.4",
        ] {
            assert!(!leads_to_db1(url), "{url}");
        }
    }

    #[test]
    fn a_machine_without_a_name_has_no_name_that_fits() {
        let this = This { name: None, addresses: Vec::new() };
        let options = |url| databases::parse(url).expect("a URL");
        assert!(!leads_here(&options("postgres://db1/x"), &this));
        assert!(leads_here(&options("postgres://localhost/x"), &this));
        let unnamed = This { name: Some(String::new()), addresses: Vec::new() };
        assert!(!leads_here(&options("postgres://./x"), &unnamed));
    }

    #[test]
    fn what_the_driver_takes_from_pghost_is_judged_like_a_host_of_the_url() {
        let this = This { name: None, addresses: Vec::new() };
        let from_environment = |host| PgConnectOptions::new_without_pgpass().host(host);
        assert!(leads_here(&from_environment("/run/postgresql"), &this));
        assert!(leads_here(&from_environment("127.0.0.1"), &this));
        assert!(!leads_here(&from_environment("10.1.2.4"), &this));
    }

    #[test]
    fn this_machine_knows_its_own_name_and_addresses() {
        let own = System::host_name().expect("a name");
        assert!(is_local(&format!("postgres://{own}/x")).expect("a URL"), "{own}");
        let addresses = addresses();
        assert!(addresses.iter().any(IpAddr::is_loopback), "{addresses:?}");
        for address in addresses {
            let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            assert!(is_local(&format!("postgres://{host}/x")).expect("a URL"), "{host}");
        }
        // TEST-NET-3 of RFC 5737, which no machine has.
        assert!(!is_local("postgres://203.0.113.1/x").expect("a URL"));
        assert!(is_local("mysql://localhost/x").is_err());
    }
}
