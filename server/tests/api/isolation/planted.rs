//! Two workspaces in which every value can be told to be whose, and the people who ask.

use reqwest::Method;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::service::Service;
use crate::world;

/// Both sides, in the order of [`Planted::workspaces`].
pub(super) const SIDES: [&str; 2] = ["OURS", "THEIRS"];

/// The first of [`Planted::actors`], who may see something of our workspace.
pub(super) const LET_IN: usize = 4;

/// Customers of a side.
const CUSTOMERS: usize = 14;

/// Profiles of a side.
pub(super) const PROFILES: usize = 3;

/// Rows whose texts all begin with the name of their side and go on with that of their customer, if they have one; times
/// of customers and calls are days of one side and customer alone. Ids follow from the names. Then references across the
/// workspaces, in both directions, as nobody but an error could make them: customers with the other's employee and label,
/// enrolments with the other's campaign, and an enrolment of the other workspace.
const ROWS: &str = "
    TRUNCATE customer, call, customer_label, call_campaign_customer, call_campaign, label, employee;
    INSERT INTO workspace (id, slug, name)
    SELECT md5(s)::uuid, lower(s) || '-slug', s || '-workspace' FROM unnest(ARRAY['OURS', 'THEIRS']) s
        ON CONFLICT DO NOTHING;
    INSERT INTO employee (id, workspace_id, name, email)
    SELECT md5(s || '-e' || g)::uuid, md5(s)::uuid, s || '-e' || g, s || '-e' || g || '@example.com'
      FROM unnest(ARRAY['OURS', 'THEIRS']) s, generate_series(1, 3) g;
    INSERT INTO label (id, workspace_id, name)
    SELECT md5(s || '-l' || g)::uuid, md5(s)::uuid, s || '-l' || g
      FROM unnest(ARRAY['OURS', 'THEIRS']) s, generate_series(1, 3) g;
    INSERT INTO call_campaign (id, workspace_id, name, status)
    SELECT md5(s || '-g' || g)::uuid, md5(s)::uuid, s || '-g' || g, 'active'
      FROM unnest(ARRAY['OURS', 'THEIRS']) s, generate_series(1, 2) g;
    INSERT INTO customer (id, workspace_id, name, email, phone, carrier, status, quality, call_status, duration,
                          is_test, checked, other_attributes, is_deleted, deleted_at, employee_id, created_at, updated_at)
    SELECT md5(c)::uuid, md5(s)::uuid, c, c || '@example.com', c, c, (ARRAY['active', 'blocked'])[1 + g % 2],
           (ARRAY['hot', 'cold', ''])[1 + g % 3], 'pending', g, g % 2 = 0, g % 3 = 0,
           jsonb_build_object('mark', c, 'number', g), g % 7 = 0, CASE WHEN g % 7 = 0 THEN at END,
           CASE g % 4 WHEN 1 THEN md5(s || '-e1')::uuid WHEN 3 THEN md5(s || '-e1')::uuid
                      WHEN 2 THEN md5(s || '-e2')::uuid END, at, at
      FROM unnest(ARRAY['OURS', 'THEIRS']) WITH ORDINALITY AS side (s, n), generate_series(1, 14) g,
           LATERAL (SELECT s || '-c' || g AS c,
                           timestamptz '1999-01-01Z' + make_interval(days => g, hours => n::int) AS at) AS made;
    INSERT INTO customer_label
    SELECT md5(s || '-c' || g)::uuid, md5(s || '-l' || 1 + g % 3)::uuid
      FROM unnest(ARRAY['OURS', 'THEIRS']) s, generate_series(1, 14) g;
    INSERT INTO call_campaign_customer (id, workspace_id, campaign_id, customer_id, status)
    SELECT md5(s || '-n' || g)::uuid, md5(s)::uuid, md5(s || '-g' || 1 + g % 2)::uuid, md5(s || '-c' || g)::uuid,
           (ARRAY['pending', 'completed'])[1 + g % 2]
      FROM unnest(ARRAY['OURS', 'THEIRS']) s, generate_series(1, 14) g;
    INSERT INTO call (id, workspace_id, customer_id, campaign_customer_id, direction, status, duration,
                      duration_seconds, recording_url, transcript, call_type, billing_rate, created_at)
    SELECT md5(c || '-k' || k)::uuid, md5(s)::uuid, md5(c)::uuid, md5(s || '-n' || g)::uuid, 'inbound', 'completed', g,
           g, 'https://' || c || '.example.com', c, 'campaign', 1,
           timestamptz '1999-03-01Z' + make_interval(days => g, hours => n::int)
      FROM unnest(ARRAY['OURS', 'THEIRS']) WITH ORDINALITY AS side (s, n), generate_series(1, 14) g,
           LATERAL (SELECT s || '-c' || g AS c) AS made, generate_series(1, 2) k;

    UPDATE customer SET employee_id = md5(CASE WHEN name LIKE 'OURS%' THEN 'THEIRS' ELSE 'OURS' END || '-e1')::uuid
     WHERE name IN ('OURS-c8', 'THEIRS-c8');
    INSERT INTO customer_label VALUES (md5('OURS-c9')::uuid, md5('THEIRS-l1')::uuid),
                                      (md5('THEIRS-c9')::uuid, md5('OURS-l1')::uuid);
    INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status, created_at)
    VALUES (md5('OURS')::uuid, md5('THEIRS-g1')::uuid, md5('OURS-c10')::uuid, 'pending', now() + interval '1 day'),
           (md5('THEIRS')::uuid, md5('OURS-g1')::uuid, md5('THEIRS-c10')::uuid, 'pending', now() + interval '1 day'),
           (md5('THEIRS')::uuid, md5('THEIRS-g1')::uuid, md5('OURS-c11')::uuid, 'pending', now() + interval '1 day'),
           (md5('OURS')::uuid, md5('OURS-g1')::uuid, md5('THEIRS-c11')::uuid, 'pending', now() + interval '1 day');";

/// References across workspaces, of each kind: of customers to employees, of customers to labels, of calls to enrolments of
/// other customers.
const STRAYS: &str = "
    SELECT (SELECT count(*) FROM customer c JOIN employee e ON e.id = c.employee_id
             WHERE e.workspace_id <> c.workspace_id),
           (SELECT count(*) FROM customer_label x JOIN customer c ON c.id = x.customer_id JOIN label l ON l.id = x.label_id
             WHERE l.workspace_id <> c.workspace_id),
           (SELECT count(*) FROM call k JOIN call_campaign_customer n ON n.id = k.campaign_customer_id
             WHERE n.customer_id <> k.customer_id OR n.workspace_id <> k.workspace_id)
         + (SELECT count(*) FROM call k JOIN customer c ON c.id = k.customer_id WHERE c.workspace_id <> k.workspace_id)";

/// What one side has, to be named in requests.
#[derive(Debug, Default)]
pub(super) struct Pool {
    pub(super) customers: Vec<Uuid>,
    pub(super) employees: Vec<Uuid>,
    pub(super) labels: Vec<Uuid>,
    pub(super) enrolments: Vec<Uuid>,
}

/// Who asks.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) who: &'static str,
    pub(super) token: String,
    /// The workspaces that they may see anything of.
    workspaces: Vec<Uuid>,
    /// If present, only the customers of this employee.
    employee: Option<Uuid>,
}

/// What one request may see.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) workspace: Uuid,
    pub(super) employee: Option<Uuid>,
    /// Also what is deleted by now.
    pub(super) is_of_the_past: bool,
}

impl Actor {
    /// What they may see of this workspace, if anything.
    pub(super) fn view(&self, workspace: Option<Uuid>) -> Option<View> {
        let workspace = workspace.filter(|id| self.workspaces.contains(id))?;
        Some(View { workspace, employee: self.employee, is_of_the_past: false })
    }

    /// What they may know of the requests of this workspace: all of them, or none.
    pub(super) fn view_of_requests(&self, workspace: Option<Uuid>) -> Option<View> {
        let view = self.view(workspace).filter(|view| view.employee.is_none())?;
        Some(View { is_of_the_past: true, ..view })
    }
}

/// The rows, and who asks for them.
#[derive(Debug)]
pub(super) struct Planted {
    pub(super) workspaces: [Uuid; 2],
    pub(super) pools: [Pool; 2],
    pub(super) actors: Vec<Actor>,
}

/// The name of a request of a side that keeps a profile.
pub(super) fn profile(side: &str, number: usize) -> String {
    format!("{side}-p{number}")
}

/// The id of what has this name.
async fn id(db: &mut PgConnection, name: &str) -> Uuid {
    sqlx::query_scalar("SELECT md5($1)::uuid").bind(name).fetch_one(db).await.unwrap()
}

/// Makes all rows anew, as they were. Users stay.
pub(super) async fn plant(db: &mut PgConnection) {
    sqlx::raw_sql(ROWS).execute(db).await.unwrap();
}

/// How many references cross the workspaces.
pub(super) async fn strays(db: &mut PgConnection) -> (i64, i64, i64) {
    sqlx::query_as(STRAYS).fetch_one(db).await.unwrap()
}

impl Planted {
    pub(super) async fn new(db: &mut PgConnection) -> Self {
        plant(db).await;
        let mut workspaces = [Uuid::nil(); 2];
        let mut pools = [Pool::default(), Pool::default()];
        for (position, side) in SIDES.into_iter().enumerate() {
            workspaces[position] = id(db, side).await;
            for (ids, kind, count) in [
                (&mut pools[position].customers, 'c', CUSTOMERS),
                (&mut pools[position].employees, 'e', 3),
                (&mut pools[position].labels, 'l', 3),
                (&mut pools[position].enrolments, 'n', CUSTOMERS),
            ] {
                for number in 1..=count {
                    ids.push(id(db, &format!("{side}-{kind}{number}")).await);
                }
            }
        }
        let actors = actors(db, workspaces, &pools).await;
        Self { workspaces, pools, actors }
    }

    /// The names of requests that keep profiles, with their workspaces.
    pub(super) fn profiles(&self) -> impl Iterator<Item = (String, Uuid)> {
        let sides = SIDES.into_iter().zip(self.workspaces);
        sides.flat_map(|(side, workspace)| {
            (1..=PROFILES).map(move |number| (profile(side, number), workspace))
        })
    }

    /// Lets the admins of both sides ask for profiles. Each tells of its workspace, of customers and of labels.
    pub(super) async fn keep_profiles(&self, service: &Service, origin: &str) {
        for (name, workspace) in self.profiles() {
            let actor = self.actors.iter().find(|actor| actor.workspaces == [workspace]).unwrap();
            let side = self.workspaces.iter().position(|id| *id == workspace).unwrap();
            let label = self.pools[side].labels[0];
            let url = format!(
                "{origin}/api/v1/customers/?workspace_id={workspace}&labels__id={label}&_profile=explain"
            );
            let headers = [("x-request-id", name.as_str())];
            let answer = service.send(Method::GET, &url, Some(&actor.token), &headers).await;
            assert!(!answer.ids().is_empty() && answer.json()["_profiling"].is_object(), "{}", answer.text);
        }
    }
}

async fn actors(db: &mut PgConnection, [ours, theirs]: [Uuid; 2], pools: &[Pool; 2]) -> Vec<Actor> {
    let [mine, yours] = [&pools[0].employees, &pools[1].employees];
    let both = [ours, theirs];
    let mut actors = Vec::new();
    // The third employee looks after nobody, until somebody is handed over to them.
    for (who, role, employee, member_of, may_see) in [
        ("our admin", "admin", None, &both[..1], &both[..1]),
        ("our manager", "manager", None, &both[..1], &both[..1]),
        ("our employee", "employee", Some(mine[0]), &both[..1], &both[..1]),
        ("our other employee", "employee", Some(mine[1]), &both[..1], &both[..1]),
        ("our idle employee", "employee", Some(mine[2]), &both[..1], &both[..1]),
        ("our employee without an employee", "employee", None, &both[..1], &both[..0]),
        ("our auditor", "auditor", None, &both[..1], &both[..0]),
        ("their admin", "admin", None, &both[1..], &both[1..]),
        ("their employee", "employee", Some(yours[0]), &both[1..], &both[1..]),
        ("a manager of both", "manager", None, &both[..], &both[..]),
        ("a member of nothing", "admin", None, &both[..0], &both[..0]),
    ] {
        let token = world::user(db, role, employee, member_of).await;
        actors.push(Actor { who, token, workspaces: may_see.to_vec(), employee });
    }
    let token = world::user(db, "admin", None, &both).await;
    sqlx::query("UPDATE app_user SET is_active = false WHERE email = $1")
        .bind(&token)
        .execute(db)
        .await
        .unwrap();
    actors.push(Actor { who: "an inactive admin", token, workspaces: Vec::new(), employee: None });
    actors.push(Actor { who: "nobody", token: "unknown".to_owned(), workspaces: Vec::new(), employee: None });
    actors
}
