//! Pages of other origins, as their browsers ask for them.

use migrations::Level;
use reqwest::Method;
use server::Variant;

use crate::service::{Service, list};
use crate::world;

#[tokio::test]
async fn a_preflight_is_answered_for_every_path_without_a_token() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    for path in ["/api/v1/customers/", "/api/v1/customers", "/api/v1/nothing/", "/healthz", "/metrics"] {
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let asked = [("origin", "https://app.example.com"), ("access-control-request-method", method)];
            let answer = service.send(Method::OPTIONS, &format!("{origin}{path}"), None, &asked).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            let methods = answer.header("access-control-allow-methods");
            assert_eq!(methods, "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
            assert!(methods.split(", ").any(|allowed| allowed == method));
            let headers = answer.header("access-control-allow-headers");
            assert_eq!(headers, "authorization, content-type, prefer, if-none-match, x-request-id");
        }
    }
}

#[tokio::test]
async fn a_page_may_read_answers_and_refusals_and_the_headers_that_are_ours() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let origin = service.serve(Variant::Live).await;
    let url = list(&origin, "workspace_id=one");
    let asked = [("origin", "https://app.example.com")];
    for (token, status) in [(Some(token.as_str()), 200), (None, 401)] {
        let answer = service.send(Method::GET, &url, token, &asked).await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(
            answer.header("access-control-expose-headers"),
            "link, x-cache, x-request-id, deprecation, retry-after, server-timing"
        );
    }
}

#[tokio::test]
async fn options_without_the_headers_of_a_preflight_is_a_question_to_the_api() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let url = list(&origin, "workspace_id=one");
    for headers in [&[][..], &[("origin", "https://x")], &[("access-control-request-method", "GET")]] {
        let answer = service.send(Method::OPTIONS, &url, None, headers).await;
        answer.refuses(401, "Authentication credentials were not provided.");
    }
}
