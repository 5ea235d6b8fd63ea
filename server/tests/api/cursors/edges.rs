//! Edges of a walk: empty pages, links where rows came and went, ties in masses.

use uuid::Uuid;

use super::walker::{SUBJECTS, Walker, values};
use crate::service::Answer;
use crate::world;

#[tokio::test]
async fn previous_of_each_page_is_the_page_before_it() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        for value in 0..23 {
            walker.insert(value / 5).await;
        }
        let pages = walker.forward("page_size=4").await;
        for (before, page) in pages.iter().zip(&pages[1..]) {
            let back = walker.follow(page.previous()).await;
            assert_eq!(back.ids(), before.ids(), "{subject:?}");
            assert_eq!(walker.follow(back.next()).await.ids(), page.ids(), "{subject:?}");
        }
        assert_eq!(walker.follow(pages[1].previous()).await.previous(), None, "{subject:?}");
    }
}

#[tokio::test]
async fn an_empty_page_at_the_end_links_back_to_all_that_remains() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        for value in [1, 1, 2, 3, 3, 3, 4, 9, 9, 9] {
            walker.insert(value).await;
        }
        let pages = walker.forward("page_size=4").await;
        let to_the_end = pages[1].next();
        walker.delete("name = '9'").await;
        let empty = walker.follow(to_the_end).await;
        assert_eq!((empty.ids().len(), empty.next()), (0, None), "{subject:?}");
        // One 9 stood on the second page and is gone too, so the pages on the way back are cut at other rows.
        let back = walker.backward(&empty).await;
        assert_eq!(back.iter().map(values).collect::<Vec<_>>(), ["3334", "112"], "{subject:?}");
    }
}

#[tokio::test]
async fn the_way_back_from_an_empty_page_is_not_blind_to_the_row_it_was_cut_at() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        for value in 1..=4 {
            walker.insert(value).await;
        }
        let first = walker.first("page_size=2").await;
        walker.delete("name IN ('3', '4')").await;
        let empty = walker.follow(first.next()).await;
        assert_eq!((values(&empty).as_str(), empty.next()), ("", None));
        let back = walker.follow(empty.previous()).await;
        assert_eq!((values(&back).as_str(), back.previous(), back.next()), ("12", None, None));

        // The same upwards.
        walker.insert(5).await;
        let last = walker.follow(walker.first("page_size=2").await.next()).await;
        assert_eq!(values(&last), "5");
        walker.delete("name IN ('1', '2')").await;
        let empty = walker.follow(last.previous()).await;
        assert_eq!((values(&empty).as_str(), empty.previous()), ("", None));
        assert_eq!(values(&walker.follow(empty.next()).await), "5");

        // And when nothing is left at all, there is no way on.
        walker.delete("true").await;
        let nothing = walker.follow(empty.next()).await;
        assert_eq!((values(&nothing).as_str(), nothing.next(), nothing.previous()), ("", None, None));
    }
}

#[tokio::test]
async fn links_are_null_exactly_when_nothing_lies_behind_them() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        let empty = walker.first("").await;
        assert_eq!((empty.ids().len(), empty.next(), empty.previous()), (0, None, None));
        for value in 1..=4 {
            walker.insert(value).await;
        }
        let full = walker.first("page_size=4").await;
        assert_eq!((full.next(), full.previous()), (None, None), "exactly one page");
        let second = walker.follow(walker.first("page_size=2").await.next()).await;
        assert_eq!(second.next(), None, "exactly two pages");
        walker.delete("name IN ('1', '2')").await;
        let url = walker.first("page_size=1").await.next();
        assert_eq!(values(&walker.follow(url.clone()).await), "4");
        walker.delete("name = '3'").await;
        let page = walker.follow(url).await;
        assert_eq!((values(&page).as_str(), page.previous()), ("4", None), "the row before is gone");
    }
}

#[tokio::test]
async fn thousands_of_equal_timestamps_are_walked_once_and_back() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        world::fill(
            &mut walker.db,
            walker.workspace,
            "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at)
             SELECT $1, 'c' || g, '090', (ARRAY['active', 'blocked'])[1 + g % 2], 'hot', 'pending',
                    timestamptz '2024-01-01Z' + CASE WHEN g > 2500 THEN g - 2500 ELSE 0 END * interval '1 microsecond'
               FROM generate_series(1, 2600) g",
        )
        .await;
        for (query, expected) in [
            ("page_size=100", 2600),
            ("page_size=97&status=active,blocked", 2600),
            ("page_size=200&status=blocked", 1300),
            ("page_size=163&status__neq=active&quality=hot", 1300),
        ] {
            let pages = walker.forward(query).await;
            let forward: Vec<Uuid> = pages.iter().flat_map(Answer::ids).collect();
            let mut distinct = forward.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!((forward.len(), distinct.len()), (expected, expected), "{subject:?}: {query}");

            let last = pages.last().unwrap();
            let mut reversed: Vec<Uuid> = last.ids().into_iter().rev().collect();
            let backward = walker.backward(last).await;
            reversed.extend(backward.iter().flat_map(|page| page.ids().into_iter().rev()));
            reversed.reverse();
            assert_eq!(reversed, forward, "{subject:?}: {query}");
        }
    }
}

#[tokio::test]
async fn the_page_size_may_change_in_the_middle_of_a_walk() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        for value in [1, 1, 1, 2, 3, 4, 4, 4, 5] {
            walker.insert(value).await;
        }
        let first = walker.first("page_size=2").await;
        let second = first.next().unwrap().replace("page_size=2", "page_size=5");
        let page = walker.follow(Some(second)).await;
        assert_eq!(values(&page), "12344", "{subject:?}");
        let back = page.previous().unwrap().replace("page_size=5", "page_size=1");
        assert_eq!(walker.follow(Some(back)).await.ids(), first.ids()[1..], "{subject:?}");
    }
}
