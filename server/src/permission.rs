//! Who may do what: one statement for the token, the user, the workspace and the membership.

use std::time::Duration;

use moka::sync::Cache;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use uuid::Uuid;

use crate::auth::TokenHash;
use crate::database::Session;
use crate::refusal::Refusal;

/// What a request may see, once it was let in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission {
    /// The workspace, which the user is a member of.
    pub(crate) workspace_id: Uuid,
    /// If present, only the customers assigned to this employee exist for the request.
    pub(crate) employee_id: Option<Uuid>,
}

impl Admission {
    /// Creating and deleting is for admins and managers.
    pub(crate) fn require_manager(&self) -> Result<(), Refusal> {
        if self.employee_id.is_none() { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}

/// The longest time that an admission may be relied on: a revoked token or membership must stop working within 5 s.
const MAX_TTL: Duration = Duration::from_secs(5);

/// How many admissions are remembered; one takes some 200 bytes.
const CAPACITY: u64 = 100_000;

/// Admissions of the last moments. Only those: a refusal is asked for again each time, so that a new membership works at
/// once.
#[derive(Debug, Clone)]
pub(crate) struct Admissions {
    kept: Option<Cache<(TokenHash, String), Admission>>,
    hits: Counter,
    misses: Counter,
}

impl Admissions {
    /// Remembers admissions for `ttl`, at most 5 s; zero remembers nothing.
    pub(crate) fn kept_for(ttl: Duration) -> Self {
        let kept = (!ttl.is_zero())
            .then(|| Cache::builder().max_capacity(CAPACITY).time_to_live(ttl.min(MAX_TTL)).build());
        Self { kept, hits: Counter::default(), misses: Counter::default() }
    }

    /// Shows how often an answer of a moment ago was enough.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let (hits, misses) = (self.hits.clone(), self.misses.clone());
        registry.register("admission_hits", "Reads that were let in by an answer of a moment ago", hits);
        registry.register("admission_misses", "Reads for which the database was asked", misses);
    }

    /// The admission that the same token got for the same workspace a moment ago.
    pub(crate) fn known(&self, token: TokenHash, workspace: Option<&str>) -> Option<Admission> {
        let workspace = workspace.map(str::to_owned);
        let known = self.kept.as_ref().zip(workspace).and_then(|(kept, name)| kept.get(&(token, name)));
        if known.is_some() { &self.hits } else { &self.misses }.inc();
        known
    }

    /// Remembers an admission.
    pub(crate) fn keep(&self, token: TokenHash, workspace: Option<&str>, admission: Admission) {
        if let (Some(cache), Some(workspace)) = (&self.kept, workspace) {
            cache.insert((token, workspace.to_owned()), admission);
        }
    }
}

/// A workspace as the client named it.
#[derive(Debug, PartialEq)]
enum WorkspaceKey<'a> {
    Id(Uuid),
    Slug(&'a str),
}

impl<'a> WorkspaceKey<'a> {
    /// What reads as a UUID, with or without hyphens, is one; anything else is a slug. A slug with a NUL can't be
    /// stored, so no workspace has it; asking the database for it would be an error.
    fn read(text: &'a str) -> Option<Self> {
        let is_plain = matches!(text.len(), 32 | 36);
        match Uuid::try_parse(text) {
            Ok(id) if is_plain => Some(Self::Id(id)),
            _ if text.contains('\0') => None,
            _ => Some(Self::Slug(text)),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Facts {
    is_active: bool,
    role: String,
    employee_id: Option<Uuid>,
    workspace_id: Option<Uuid>,
    is_member: bool,
    has_customers: bool,
}

/// Lets a request into the workspace that it names, or says why not, in this order: 401, 400 for a missing
/// `workspace_id`, 403.
///
/// "No such workspace" and "not a member" are one answer, so that nobody can probe for workspaces.
pub(crate) async fn admit(
    session: &mut Session,
    token: TokenHash,
    workspace: Option<&str>,
) -> Result<Admission, Refusal> {
    let (id, slug) = match workspace.and_then(WorkspaceKey::read) {
        Some(WorkspaceKey::Id(id)) => (Some(id), None),
        Some(WorkspaceKey::Slug(slug)) => (None, Some(slug)),
        None => (None, None),
    };
    // Each EXISTS stops at the first row that it finds. Whether an employee has any customer is asked for employees
    // only, and is one descent of an index.
    let facts: Option<Facts> = sqlx::query_as(
        "SELECT u.is_active, u.role, u.employee_id, w.id AS workspace_id,
                EXISTS (SELECT FROM user_workspace AS m
                         WHERE m.user_id = u.id AND m.workspace_id = w.id) AS is_member,
                u.role = 'employee' AND
                EXISTS (SELECT FROM customer AS c
                         WHERE c.workspace_id = w.id AND c.employee_id = u.employee_id
                           AND NOT c.is_deleted) AS has_customers
           FROM auth_token AS t
           JOIN app_user AS u ON u.id = t.user_id
           LEFT JOIN workspace AS w ON w.id = coalesce($2, (SELECT s.id FROM workspace AS s WHERE s.slug = $3))
          WHERE t.token_sha256 = $1",
    )
    .bind(token)
    .bind(id)
    .bind(slug)
    .fetch_optional(session)
    .await?;

    let facts = facts.ok_or(Refusal::BadCredentials("Invalid token."))?;
    if !facts.is_active {
        return Err(Refusal::BadCredentials("User inactive or deleted."));
    }
    if workspace.is_none() {
        return Err(Refusal::parameter("workspace_id", "This field is required."));
    }
    let Some(workspace_id) = facts.workspace_id.filter(|_| facts.is_member) else {
        return Err(Refusal::Forbidden);
    };
    let employee_id = match facts.role.as_str() {
        "admin" | "manager" => None,
        "employee" if facts.has_customers => facts.employee_id,
        _ => return Err(Refusal::Forbidden),
    };
    Ok(Admission { workspace_id, employee_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_named_by_a_uuid_with_or_without_hyphens_or_by_a_slug() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        for text in ["01234567-89ab-cdef-0123-456789abcdef", "0123456789ABCDEF0123456789abcdef"] {
            assert_eq!(WorkspaceKey::read(text), Some(WorkspaceKey::Id(id)), "{text}");
        }
        let braced = "{01234567-89ab-cdef-0123-456789abcdef}";
        for text in ["enterprise-workspace-1", "01234567", braced, "日本"] {
            assert_eq!(WorkspaceKey::read(text), Some(WorkspaceKey::Slug(text)), "{text}");
        }
        assert_eq!(WorkspaceKey::read("a\0b"), None);
    }
}
