//! A server of its own for each test, on a database of its own.

use std::time::Duration;

use cluster::testing::TestDatabase;
use migrations::Level;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use server::{Config, Variant};
use sqlx::{Connection as _, PgConnection};
use tokio::net::TcpListener;
use uuid::Uuid;

/// A database at a level, with servers on it.
pub(crate) struct Service {
    pub(crate) database: TestDatabase,
    client: reqwest::Client,
}

/// An answer, wholly read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The ids of the page.
    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.results().iter().map(|row| row["id"].as_str().unwrap().parse().unwrap()).collect()
    }

    /// The names of the page.
    pub(crate) fn names(&self) -> Vec<String> {
        self.results().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn results(&self) -> Vec<Value> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()["results"].as_array().unwrap().clone()
    }

    pub(crate) fn next(&self) -> Option<String> {
        self.json()["next"].as_str().map(str::to_owned)
    }

    pub(crate) fn previous(&self) -> Option<String> {
        self.json()["previous"].as_str().map(str::to_owned)
    }

    /// Asserts the status and the whole body.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &Value) {
        assert_eq!((self.status.as_u16(), &self.json()), (status, body));
        assert_eq!(self.header("content-type"), "application/json");
    }

    /// Asserts the status and the `detail` of the body.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, detail: &str) {
        self.is(status, &serde_json::json!({ "detail": detail }));
    }
}

/// A client that shows what the server sent: no redirect is followed and nothing is unpacked. What else is built beside
/// these tests may switch on the client's decompression, which asks for gzip unseen and hides the headers of the answer.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_mins(1))
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .build()
        .unwrap()
}

impl Service {
    /// A database at this level.
    pub(crate) async fn at(level: Level) -> Self {
        let database = cluster::testing::database("server").await;
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        migrations::migrate(&mut connection, database.url(), level, &mut |_| {}).await.unwrap();
        connection.close().await.unwrap();
        Self { database, client: client() }
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(self.database.url()).await.unwrap()
    }

    pub(crate) fn config(&self, variant: Variant) -> Config {
        Config { pool_size: 2, admission_ttl: Duration::ZERO, ..Config::new(self.database.url(), variant) }
    }

    /// Starts a server and gives its origin. It ends with the test's runtime.
    pub(crate) async fn start(&self, config: Config) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let served = server::Server::open(config, listener).await.unwrap().serve(std::future::pending());
        tokio::spawn(async move { served.await.unwrap() });
        origin
    }

    /// Starts a server of this variant with nothing special.
    pub(crate) async fn serve(&self, variant: Variant) -> String {
        self.start(self.config(variant)).await
    }

    /// Sends a request with a token and further headers.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send_body(method, url, token, headers, Vec::new()).await
    }

    /// The same with a body.
    pub(crate) async fn send_body(
        &self,
        method: Method,
        url: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = self.client.request(method, url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Sends a body as JSON.
    pub(crate) async fn write(
        &self,
        method: Method,
        url: &str,
        token: &str,
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send_body(method, url, Some(token), &headers, body.into()).await
    }

    pub(crate) async fn get(&self, url: &str, token: &str) -> Answer {
        self.send(Method::GET, url, Some(token), &[]).await
    }
}

/// The parameters that filter the list.
pub(crate) const FILTERS: [&str; 25] = [
    "status",
    "status__in",
    "status__neq",
    "status__isnull",
    "quality",
    "quality__in",
    "quality__neq",
    "quality__isnull",
    "call_status",
    "call_status__in",
    "call_status__neq",
    "carrier",
    "carrier__in",
    "duration",
    "duration__gt",
    "duration__lt",
    "duration__gte",
    "duration__lte",
    "duration__neq",
    "labels__id",
    "campaign_labels__id__in",
    "labels__id__neq",
    "other_attributes",
    "is_test",
    "checked",
];

/// The URL of the list.
pub(crate) fn list(origin: &str, query: &str) -> String {
    format!("{origin}/api/v1/customers/?{query}")
}
