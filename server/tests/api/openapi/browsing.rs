//! The pages on which people browse and try the API.

use migrations::Level;
use reqwest::Method;
use server::Variant;

use crate::service::Service;

#[tokio::test]
async fn the_pages_to_browse_need_nothing_from_elsewhere() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let get = async |path: &str| service.send(Method::GET, &format!("{origin}{path}"), None, &[]).await;
    let moved = get("/docs").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (308, "/docs/"));
    let page = get("/docs/").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html"));
    let mut files = 0;
    for part in page.text.split(['"', '\'']).filter(|part| part.starts_with("./") || part.contains("//")) {
        let file = part.strip_prefix("./").unwrap_or_else(|| panic!("{part} is elsewhere"));
        let answer = get(&format!("/docs/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        files += 1;
    }
    assert!(files >= 5, "{}", page.text);
    let start = get("/docs/swagger-initializer.js").await.text;
    assert!(start.contains("../openapi.json") && !start.contains("//petstore"), "{start}");
    assert!(start.contains("\"validatorUrl\": \"none\""), "{start}");
    get("/docs/nothing.js").await.refuses(404, "Not found.");
}
