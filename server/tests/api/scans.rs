//! No request reads a table from end to end, each uses the index that is meant for it, and none reads more rows than a
//! stated multiple of those that it answers. On a tenant of 4,000 customers among twelve, whose rows lie mixed.
//!
//! What holds differs by level. On `indexed` and `optimized`, a page without filters and one by a column with an index
//! reads at most three rows of customers for each row that it could hold: one to find it, one to fill it, one to know
//! whether more follow. What no index has in the order of the list (`carrier`, flags, labels, attributes, ranges)
//! reads at most the tenant, twice. The naive list on `before` counts the tenant and sorts it: it reads all of it, twice,
//! whatever the page; but nobody else's.

use migrations::Level;
use reqwest::Method;
use serde_json::json;
use server::{Server, Variant};
use sqlx::{Connection as _, Executor as _};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::service::{Answer, Service};
use crate::world;
use counters::Counters;

mod counters;

/// Customers of each tenant, deleted ones among them.
const TENANT: i64 = 4_000;
/// Calls of each customer.
const CALLS: i64 = 3;
/// Rows of a page.
const PAGE: i64 = 20;

const ROWS: &str = "
    INSERT INTO workspace (id, slug, name) SELECT md5('w' || w)::uuid, 'w' || w, 'w' FROM generate_series(0, 11) w;
    INSERT INTO employee (id, workspace_id, name, email)
    SELECT md5('e' || w || '-' || e)::uuid, md5('w' || w)::uuid, 'e', 'e'
      FROM generate_series(0, 11) w, generate_series(0, 9) e;
    INSERT INTO label (id, workspace_id, name)
    SELECT md5('l' || w || '-' || l)::uuid, md5('w' || w)::uuid, l FROM generate_series(0, 11) w, generate_series(0, 1) l;
    INSERT INTO call_campaign (id, workspace_id, name, status)
    SELECT md5('g' || w)::uuid, md5('w' || w)::uuid, 'g', 'active' FROM generate_series(0, 11) w;
    INSERT INTO customer (id, workspace_id, name, phone, carrier, status, quality, call_status, duration, is_test, checked,
                          other_attributes, is_deleted, employee_id, created_at)
    SELECT md5('c' || w || '-' || n)::uuid, md5('w' || w)::uuid, 'c', '1', (ARRAY['viettel', 'mobifone'])[1 + n % 2],
           (ARRAY['active', 'inactive', 'blocked', 'pending'])[1 + n % 4], (ARRAY['hot', 'warm', 'cold'])[1 + n % 3],
           (ARRAY['pending', 'completed'])[1 + n % 2], n % 500, n % 2 = 0, n % 3 = 0,
           jsonb_build_object('plan', n % 400), n % 20 = 7, md5('e' || w || '-' || n % 10)::uuid,
           timestamptz '2024-01-01Z' + n * interval '1 minute'
      FROM generate_series(1, 4000) n, generate_series(0, 11) w;
    -- One label on every tenth customer, one on the three oldest.
    INSERT INTO customer_label
    SELECT md5('c' || w || '-' || n)::uuid, md5('l' || w || '-' || l)::uuid
      FROM generate_series(1, 4000) n, generate_series(0, 11) w, generate_series(0, 1) l
     WHERE (l = 0 AND n % 10 = 0) OR (l = 1 AND n <= 3);
    INSERT INTO call_campaign_customer (id, workspace_id, campaign_id, customer_id, status)
    SELECT md5('n' || w || '-' || n)::uuid, md5('w' || w)::uuid, md5('g' || w)::uuid, md5('c' || w || '-' || n)::uuid,
           (ARRAY['pending', 'completed'])[1 + n % 2]
      FROM generate_series(1, 4000) n, generate_series(0, 11) w;
    INSERT INTO call (workspace_id, customer_id, campaign_customer_id, direction, status, duration, duration_seconds,
                      call_type, billing_rate, created_at)
    SELECT md5('w' || w)::uuid, md5('c' || w || '-' || n)::uuid, md5('n' || w || '-' || n)::uuid, 'inbound', 'completed',
           60, 60, 'campaign', 0.5, now() - k * interval '20 days'
      FROM generate_series(1, 3) k, generate_series(1, 4000) n, generate_series(0, 11) w;
    -- Nobody but the server touches the counters from here on.
    ALTER TABLE customer SET (autovacuum_enabled = false);
    ALTER TABLE call SET (autovacuum_enabled = false);
    ALTER TABLE customer_label SET (autovacuum_enabled = false);
    ALTER TABLE call_campaign_customer SET (autovacuum_enabled = false);";

/// A request, and what it may cost.
struct Case {
    method: Method,
    /// Below `/api/v1/`, with the query beside `workspace_id`.
    path: String,
    body: String,
    by_employee: bool,
    /// Indexes that must be used.
    uses: Vec<&'static str>,
    /// The most index entries of customers.
    customers: i64,
    /// The most index entries of calls.
    calls: i64,
    /// The most index entries of labels of customers.
    labels: i64,
    /// The most index entries of enrolments.
    enrolments: i64,
}

impl Case {
    fn new(method: Method, path: impl Into<String>, uses: &[&'static str], customers: i64) -> Self {
        Self {
            method,
            path: path.into(),
            body: String::new(),
            by_employee: false,
            uses: uses.to_vec(),
            customers,
            calls: 0,
            labels: 0,
            enrolments: 0,
        }
    }

    fn get(path: impl Into<String>, uses: &[&'static str], customers: i64) -> Self {
        Self::new(Method::GET, path, uses, customers)
    }

    fn body(self, body: &serde_json::Value) -> Self {
        Self { body: body.to_string(), ..self }
    }

    fn by_employee(self) -> Self {
        Self { by_employee: true, ..self }
    }

    /// That it shows so many customers: with the calls, labels and enrolments of each, as often as the variant asks for
    /// them.
    fn showing(self, customers: i64, variant: Variant) -> Self {
        let times = if variant == Variant::Naive { 11 } else { 2 };
        Self {
            calls: customers * CALLS * times,
            labels: self.labels + customers * 2,
            enrolments: customers * 2,
            ..self
        }
    }

    fn reading_labels(self, labels: i64) -> Self {
        Self { labels: self.labels + labels, ..self }
    }
}

struct Scene {
    service: Service,
    variant: Variant,
    admin: String,
    employee: String,
}

impl Scene {
    async fn at(level: Level, variant: Variant) -> Self {
        let service = Service::at(Level::Before).await;
        let mut db = service.connection().await;
        sqlx::raw_sql(ROWS).execute(&mut db).await.unwrap();
        migrations::migrate(&mut db, service.database.url(), level, &mut |_| {}).await.unwrap();
        db.execute("VACUUM ANALYZE").await.unwrap();
        let workspace: Uuid = sqlx::query_scalar("SELECT md5('w5')::uuid").fetch_one(&mut db).await.unwrap();
        let who: Uuid = sqlx::query_scalar("SELECT md5('e5-4')::uuid").fetch_one(&mut db).await.unwrap();
        let admin = world::user(&mut db, "admin", None, &[workspace]).await;
        let employee = world::user(&mut db, "employee", Some(who), &[workspace]).await;
        db.close().await.unwrap();
        Self { service, variant, admin, employee }
    }

    /// Sends one request to a server that lives for it alone.
    async fn answer(&self, case: &Case) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::open(self.service.config(self.variant), listener).await.unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(async move { stopped.await.unwrap_or_default() }));
        let token = if case.by_employee { &self.employee } else { &self.admin };
        let separator = if case.path.contains('?') { '&' } else { '?' };
        let url = format!("{origin}/api/v1/{}{separator}workspace_id=w5", case.path);
        let answer = self.service.write(case.method.clone(), &url, token, case.body.clone()).await;
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
        answer
    }

    /// Sends all of them, and holds each to what it may cost.
    async fn judge(&self, cases: Vec<Case>) {
        let mut db = self.service.connection().await;
        let mut before = Counters::settled(&mut db).await;
        let mut broken = Vec::new();
        for case in cases {
            let answer = self.answer(&case).await;
            let after = Counters::settled(&mut db).await;
            let work = after.since(&before);
            before = after;
            let name =
                format!("{} {} {} as employee: {}", case.method, case.path, case.body, case.by_employee);
            assert!(answer.status.is_success(), "{name}: {answer:?}");
            let mut wrong: Vec<String> = Vec::new();
            if work.passes() > 0 {
                wrong.push("a pass over a whole table".to_owned());
            }
            for index in case.uses.iter().filter(|index| !work.used(index)) {
                wrong.push(format!("{index} not used"));
            }
            for (table, most) in [
                ("customer", case.customers),
                ("call", case.calls),
                ("customer_label", case.labels),
                ("call_campaign_customer", case.enrolments),
                ("customer_call_stats", PAGE.max(case.customers)),
            ] {
                if work.rows(table) > most {
                    wrong.push(format!("{} entries of {table}, at most {most}", work.rows(table)));
                }
            }
            if !wrong.is_empty() {
                broken.push(format!("{name}: {}\n{work:#?}", wrong.join("; ")));
            }
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
    }

    /// An id of this workspace by its name.
    async fn id(&self, name: &str) -> Uuid {
        let mut db = self.service.connection().await;
        let id = sqlx::query_scalar("SELECT md5($1)::uuid").bind(name).fetch_one(&mut db).await.unwrap();
        db.close().await.unwrap();
        id
    }

    /// What all levels promise alike: one customer, writes, and the numbers of the workspace.
    ///
    /// What is updated has a second entry, of its former version, until that is cleared away; so each row that is written is
    /// written by one request alone, and what is read in full is read first.
    async fn points(&self, by_workspace: &[&'static str], by_employee: &'static str) -> Vec<Case> {
        let variant = self.variant;
        let pkey = &["customer_pkey"][..];
        let first = self.id("c5-4").await;
        let (deleted, called) = (self.id("c5-14").await, self.id("c5-24").await);
        let enrolment = self.id("n5-24").await;
        let label = self.id("l5-0").await;
        let (mut many, mut others) = (Vec::new(), Vec::new());
        for number in (104..604).step_by(10) {
            many.push(self.id(&format!("c5-{number}")).await);
            others.push(self.id(&format!("c5-{}", number + 1_000)).await);
        }
        let each = i64::try_from(many.len()).unwrap();
        let call = json!({
            "customer_id": called, "campaign_customer_id": enrolment, "direction": "inbound", "status": "busy",
            "call_type": "direct",
        });
        let calls: Vec<_> = many
            .iter()
            .map(|id| json!({ "customer_id": id, "direction": "inbound", "status": "busy", "call_type": "direct" }))
            .collect();
        let new = json!({ "name": "n", "phone": "1", "label_ids": [label] });
        let change = json!({ "status": "pending", "label_ids": [label] });
        // To let an employee in takes one customer of theirs. Before there is an index on both columns, those of the
        // workspace or those of the employee are looked through for one.
        let entrance = if variant == Variant::Naive { TENANT } else { 1 };
        // Planned with its values, a statement for some ids may first collect the entries of the tenant, to fetch the rows
        // of both alone.
        let collected = if variant == Variant::Naive { 2 * TENANT } else { 0 };
        vec![
            Case::get("workspaces/w5/", by_workspace, TENANT),
            Case::get("workspaces/w5/", &[by_employee], TENANT + entrance).by_employee(),
            Case::get(format!("customers/{first}/"), pkey, 1).showing(1, variant),
            Case::get(format!("customers/{first}/"), &["customer_pkey", by_employee], 1 + entrance)
                .showing(1, variant)
                .by_employee(),
            // Looked up, then locked.
            Case { enrolments: 1, ..Case::new(Method::POST, "calls/", pkey, 2).body(&call) },
            Case::new(Method::POST, "calls/bulk/", pkey, 2 * each + collected).body(&json!(calls)),
            // Locked, written, and read for the answer, by both entries. Its labels are found, deleted or kept, and shown.
            Case::new(Method::PATCH, format!("customers/{first}/"), pkey, 4)
                .body(&change)
                .showing(1, variant)
                .reading_labels(3),
            Case::new(Method::PATCH, "customers/bulk/", pkey, 2 * each + collected)
                .body(&json!({ "ids": many, "set": change }))
                .reading_labels(3 * each),
            Case::new(Method::DELETE, format!("customers/{deleted}/"), pkey, 2),
            Case::new(Method::POST, "customers/bulk-delete/", pkey, 2 * each + collected)
                .body(&json!({ "ids": others })),
            Case::new(Method::POST, "customers/", pkey, 1).body(&new).showing(1, variant),
            Case::new(Method::POST, "customers/bulk/", &[], 0).body(&json!(vec![new.clone(); 50])),
        ]
    }
}

/// The list where it is found by index.
async fn pages(scene: &Scene) -> Vec<Case> {
    let variant = scene.variant;
    let list = |query: &str, uses: &[&'static str], customers: i64| {
        Case::get(format!("customers/?page_size={PAGE}{query}"), uses, customers).showing(PAGE, variant)
    };
    let created = &["idx_customer_workspace_created", "customer_pkey", "idx_call_customer_created"];
    let middle = {
        let first = scene.answer(&list("&offset=2000", created, 0)).await;
        let cursor = |link: Option<String>| {
            let link = link.unwrap();
            let (_, query) = link.split_once('?').unwrap();
            let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor").unwrap();
            found.1.into_owned()
        };
        [cursor(first.next()), cursor(first.previous())]
    };
    let [common, rare] = [scene.id("l5-0").await, scene.id("l5-1").await];
    let mut cases = vec![
        list("", created, 3 * PAGE),
        list("&count=estimated", created, 3 * PAGE),
        list(&format!("&cursor={}", middle[0]), created, 3 * PAGE),
        list(&format!("&cursor={}", middle[1]), created, 3 * PAGE),
        // What is skipped is read, in the index alone.
        list("&page=6", created, 8 * PAGE),
        list("", &["idx_customer_workspace_employee", "customer_pkey"], 3 * PAGE).by_employee(),
        list("&status=blocked", &["idx_customer_workspace_status"], 3 * PAGE),
        list("&status=none", &["idx_customer_workspace_status"], 0),
        // A page of each value, of which one is shown.
        list("&status=blocked,active", &["idx_customer_workspace_status"], 4 * PAGE),
        list("&status__neq=active", &["idx_customer_workspace_status"], 5 * PAGE),
        list("&quality=hot", &["idx_customer_workspace_quality"], 3 * PAGE),
        list("&call_status=completed", &["idx_customer_workspace_call_status"], 3 * PAGE),
        list("&duration=3", &["idx_customer_workspace_duration"], 3 * PAGE),
    ];
    // What no index has in the order of the list: at most the tenant, near and far, and the page.
    for query in
        ["&carrier=viettel", "&carrier=none", "&is_test=true", "&duration__gt=498", "&duration__lt=400"]
    {
        cases.push(list(query, &[], 2 * TENANT + 2 * PAGE));
    }
    for query in [
        format!("&labels__id={common}"),
        format!("&labels__id={rare}"),
        format!("&labels__id__neq={common}"),
        format!("&labels__id={common}&status=active"),
    ] {
        cases.push(list(&query, &["customer_label_pkey"], 2 * TENANT + 2 * PAGE).reading_labels(TENANT));
    }
    for query in
        ["&other_attributes=plan=7", "&other_attributes=plan=none", "&status=active&quality=hot&carrier=none"]
    {
        cases.push(list(query, &[], 2 * TENANT + 2 * PAGE));
    }
    cases
}

#[tokio::test]
async fn what_a_session_did_is_counted_when_it_is_gone() {
    let service = Service::at(Level::Before).await;
    let mut db = service.connection().await;
    let before = Counters::settled(&mut db).await;
    let mut other = service.connection().await;
    other.execute("SELECT count(*) FROM call").await.unwrap();
    other
        .execute("SET enable_seqscan = off; SELECT FROM customer WHERE id = gen_random_uuid()")
        .await
        .unwrap();
    other.close().await.unwrap();
    let work = Counters::settled(&mut db).await.since(&before);
    assert!(work.passes() == 1 && work.used("customer_pkey"), "{work:?}");
}

#[tokio::test]
async fn naive_reads_no_other_tenant_and_calls_by_their_index() {
    let scene = Scene::at(Level::Before, Variant::Naive).await;
    let by_workspace = ["idx_customer_workspace_id", "idx_call_customer_id", "customer_label_pkey"];
    let list = |query: &str| {
        let path = format!("customers/?page_size={PAGE}{query}");
        // Counted, then sorted.
        Case::get(path, &by_workspace, 2 * TENANT).showing(PAGE, Variant::Naive)
    };
    let mut cases =
        vec![list(""), list("&page=50"), list("&status=active&quality=hot"), list("&count=estimated")];
    cases.extend(scene.points(&["idx_customer_workspace_id"], "idx_customer_employee_id").await);
    scene.judge(cases).await;
}

#[tokio::test]
async fn live_reads_what_it_shows_and_no_table_from_end_to_end() {
    let scene = Scene::at(Level::Indexed, Variant::Live).await;
    let mut cases = pages(&scene).await;
    cases.extend(scene.points(&[], "idx_customer_workspace_employee").await);
    scene.judge(cases).await;
}

#[tokio::test]
async fn rollup_reads_what_it_shows_and_no_table_from_end_to_end() {
    let scene = Scene::at(Level::Optimized, Variant::Rollup).await;
    let mut cases = pages(&scene).await;
    cases.extend(scene.points(&[], "idx_customer_workspace_employee").await);
    scene.judge(cases).await;
}
