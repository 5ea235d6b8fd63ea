//! The links of a page to its neighbours, in the body and in the `Link` header.

use reqwest::Url;

use super::rows::Page;
use super::trial::{Stop, Trial, Verdict};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "3 Cursors" => links_are_absolute_and_stay_on_the_server, links_keep_every_other_parameter,
                   parameters_of_links_are_sorted_by_name, the_link_header_repeats_the_links;
};

/// The second page of a list that is asked for with more than it needs.
async fn second_page(trial: &mut Trial) -> Result<(super::ask::Reply, Page), Stop> {
    trial.needs_rows(5)?;
    let query = [
        ("zebra", "a b&c"),
        ("page_size", "2"),
        ("checked", ""),
        ("status__neq", "no-such-status"),
        ("apple", ""),
    ];
    let reply = trial.list(&query).await?;
    let Some(next) = trial.read(&reply)?.next else {
        trial.note(&reply.asked, "`next` to lead to the other rows", "null");
        return Err(Stop::Over);
    };
    let reply = trial.follow_link(&next).await?;
    let page = trial.read(&reply)?;
    Ok((reply, page))
}

async fn links_are_absolute_and_stay_on_the_server(trial: &mut Trial) -> Verdict {
    let (reply, page) = second_page(trial).await?;
    for (name, link) in [("next", page.next), ("previous", page.previous)] {
        let Some(link) = link else {
            trial.note(&reply.asked, &format!("`{name}` on the second of three pages"), "null");
            continue;
        };
        // Whether it is absolute and whether it stays here are two things that can be wrong with it.
        let seen = match Url::parse(&link) {
            Ok(_) => trial.server().link(&link).err(),
            Err(_) => Some(link),
        };
        if let Some(seen) = seen {
            trial.note(&reply.asked, &format!("`{name}` to be an absolute URL of the server"), &seen);
        }
    }
    Ok(())
}

/// The parameters of a link, in their order.
fn parameters(trial: &Trial, link: &str) -> Vec<(String, String)> {
    let url = trial.server().link(link).ok();
    url.iter()
        .flat_map(Url::query_pairs)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

async fn links_keep_every_other_parameter(trial: &mut Trial) -> Verdict {
    let (reply, page) = second_page(trial).await?;
    let workspace = trial.server().examination().workspace.clone();
    for link in [page.next, page.previous].into_iter().flatten() {
        let there = parameters(trial, &link);
        for (name, value) in [
            ("workspace_id", workspace.as_str()),
            ("page_size", "2"),
            ("status__neq", "no-such-status"),
            ("zebra", "a b&c"),
            ("checked", ""),
            ("apple", ""),
        ] {
            let values: Vec<&str> =
                there.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect();
            trial.expect(&reply, values == [value], &format!("`{name}={value}` once in the links"), &link);
        }
    }
    Ok(())
}

async fn parameters_of_links_are_sorted_by_name(trial: &mut Trial) -> Verdict {
    let (reply, page) = second_page(trial).await?;
    for link in [page.next, page.previous].into_iter().flatten() {
        let sorted = parameters(trial, &link).is_sorted_by(|(one, _), (two, _)| one <= two);
        trial.expect(&reply, sorted, "the parameters of links sorted by name", &link);
    }
    Ok(())
}

async fn the_link_header_repeats_the_links(trial: &mut Trial) -> Verdict {
    let (reply, page) = second_page(trial).await?;
    let header = reply.header("link").to_owned();
    for (link, relations) in [(page.next, &["next"][..]), (page.previous, &["prev", "previous"])] {
        let Some(link) = link else { continue };
        let holds = header.split(',').any(|part| {
            let (url, rest) = part.split_once(';').unwrap_or((part, ""));
            let relation = |name: &&str| {
                rest.contains(&format!("rel=\"{name}\"")) || rest.contains(&format!("rel={name}"))
            };
            url.trim() == format!("<{link}>") && relations.iter().any(relation)
        });
        let expected = format!("`<{link}>; rel=\"{}\"` in the header `Link`", relations[0]);
        trial.expect(&reply, holds, &expected, if header.is_empty() { "no such header" } else { &header });
    }
    Ok(())
}
