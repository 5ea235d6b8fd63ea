//! A page read without the server is the page that the server answers with.

use chrono::Duration;
use migrations::Level;
use serde_json::json;
use server::Variant;
use server::page::{Cursor, Direction, Place, Rows, Statement};
use sqlx::AssertSqlSafe;

use crate::service::{Service, list};
use crate::world::{self, Customer, at};

#[tokio::test]
async fn a_page_read_without_the_server_is_the_page_that_it_answers_with() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let mut places = Vec::new();
    for minute in 0..6 {
        let created_at = at("2024-01-01T00:00:00Z") - Duration::minutes(minute);
        let id = Customer::of(workspace, minute.to_string(), created_at).insert(&mut db).await;
        places.push(Place { created_at, id });
    }
    let live = service.serve(Variant::Live).await;
    let after_the_second = Cursor::beyond(places[1], Direction::Next).encode().expect("a text");
    for (query, rows) in [
        ("page_size=4".to_owned(), 4),
        (format!("page_size=3&cursor={after_the_second}"), 3),
        ("status=active&quality=hot&duration__gte=0".to_owned(), 6),
        ("status=absent".to_owned(), 0),
    ] {
        let Statement { sql, values } = Statement::of(Variant::Live, workspace, &query).expect("accepted");
        let found = sqlx::query_with(AssertSqlSafe(sql), values).fetch_all(&mut db).await.expect("it runs");
        let customers = Rows::new(found).customers().expect("rows of this statement");
        let answered = service.get(&list(&live, &format!("workspace_id=one&{query}")), &token).await;
        assert_eq!((customers.len(), customers.is_empty()), (rows, rows == 0), "{query}");
        assert_eq!(json!(customers), answered.json()["results"], "{query}");
    }
}
