//! What can go wrong before and during a measurement, in sentences for the person who has to put it right.

use reqwest::Url;

/// Why a measurement could not be made. A reply that fails *during* a window is no error of this kind: it is counted
/// in [`reports::run::Window::errors`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A scenario that nobody has written.
    #[error("there is no scenario `{name}`{}; the scenarios are {}", did_you_mean(.suggestion.as_deref()), .known.join(", "))]
    UnknownScenario {
        /// The name as given.
        name: String,
        /// All names there are.
        known: Vec<String>,
        /// The known name that is nearest to the given one, if one is near.
        suggestion: Option<String>,
    },
    /// A plan that can't be carried out.
    #[error("the plan can't be carried out: {what}")]
    Plan {
        /// What is wrong with it, with the value.
        what: String,
    },
    /// The moment at which the window was to open is over.
    #[error(
        "the load was to start at {start_at}, and this process was ready {} ms later, more than the 1000 ms it may be late; \
         give a later start, or less warm-up", .late.as_millis()
    )]
    TooLate {
        /// The moment that was given.
        start_at: chrono::DateTime<chrono::Utc>,
        /// By how much it is over.
        late: std::time::Duration,
    },
    /// The address of a server that can't be one.
    #[error(
        "the target `{url}` can't be asked: {what}; give what stands before `/api/`, such as http://127.0.0.1:8000"
    )]
    BadTarget {
        /// The address as given, without a password.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file of arrivals with a mistake.
    #[error("line {line} of {file} is no arrival: {what}")]
    Replay {
        /// The name of the file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A file of arrivals without any.
    #[error("{file} holds no arrival; it takes one a line, in seconds since the first or as a timestamp")]
    ReplayEmpty {
        /// The name of the file.
        file: String,
    },
    /// A file of arrivals that can't be read.
    #[error("the arrivals in {file} can't be read: {source}")]
    ReplayUnreadable {
        /// The file as it was given.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Nothing listens, or the connection broke.
    #[error("no answer from {url}: {cause}; check that the server runs and that the URL is right")]
    Unreachable {
        /// The URL that was asked, without secrets.
        url: String,
        /// The reason as the HTTP client and the operating system gave it.
        cause: String,
    },
    /// The server answered, but not with a page.
    #[error("{url} answered {status} to the first look: {body}; {}", remedy(*.status))]
    Refused {
        /// The URL that was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// The start of the body.
        body: String,
    },
    /// The reply is not what the contract says.
    #[error("{url} does not answer like a customer list: {what}")]
    NotAPage {
        /// The URL that was asked.
        url: String,
        /// What was wrong with the reply.
        what: String,
    },
    /// There is nothing to measure.
    #[error("the workspace `{workspace}` at {base_url} has no customers; seed it, or name another workspace")]
    EmptyWorkspace {
        /// The server.
        base_url: String,
        /// The workspace as given.
        workspace: String,
    },
    /// The server does not say how large a workspace is.
    #[error(
        "how many customers `{workspace}` has is not known: {cause}; say it yourself: --workspace {workspace}=CUSTOMERS"
    )]
    UnknownSize {
        /// The workspace as given.
        workspace: String,
        /// What was seen instead.
        cause: String,
    },
    /// A mistake in a file of scenarios.
    #[error(transparent)]
    ScenarioFile(#[from] reports::document::Error),
    /// A file of scenarios that is not there.
    #[error("the scenarios in {file} can't be read: {cause}")]
    NoScenarioFile {
        /// The file as it was named.
        file: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The server does not give the data that a described scenario is made of.
    #[error("{url} gives no values for the data `{data}`: {what}")]
    Ungathered {
        /// Name of the data.
        data: String,
        /// The URL that was asked.
        url: String,
        /// What came instead.
        what: String,
    },
    /// A value that can't be sent where a described scenario wants it.
    #[error("the value `{value}` of {{{data}}} can't be sent: {why}; leave it out of the data")]
    UnfitValue {
        /// Name of the placeholder.
        data: String,
        /// The value.
        value: String,
        /// What stands against it.
        why: String,
    },
    /// What a scenario uses up could not be made.
    #[error(
        "{base_url} did not make the customers that are to be deleted: {cause}; a token of an admin or a manager may"
    )]
    Unprovided {
        /// The server.
        base_url: String,
        /// What it said instead.
        cause: String,
    },
    /// The workspace is too small for a deep page.
    #[error(
        "{operation} needs {wanted} pages of {page_size} rows; the workspace `{workspace}` ended at page {last}: \
         seed more customers, or ask for smaller pages"
    )]
    TooFewPages {
        /// The operation that needs them.
        operation: &'static str,
        /// Pages needed.
        wanted: u32,
        /// Rows per page.
        page_size: u32,
        /// The workspace as given.
        workspace: String,
        /// The last page there is.
        last: u32,
    },
    /// A link out of the server under test; the token must not follow it.
    #[error(
        "the link to the next page at {base_url} leads to another server, {link}; the token is not sent there: \
         give the server's public URL, or let the server build its links from the `Host` header"
    )]
    ForeignLink {
        /// The server under test.
        base_url: String,
        /// Where the link leads.
        link: Box<Url>,
    },
    /// Neither a path nor a scenario.
    #[error(
        "`{text}` is neither a path, which begins with `/`, nor a scenario{}; the scenarios are {}{}",
        did_you_mean(.suggestion.as_deref()), .known.join(", "), target_hint(.text)
    )]
    NotARequest {
        /// What was given.
        text: String,
        /// All scenarios there are.
        known: Vec<String>,
        /// The known name that is nearest to the given one, if one is near.
        suggestion: Option<String>,
    },
    /// A request that was to be profiled was refused.
    #[error("{url} answered {status}: {body}; {}", profile_remedy(*.status))]
    ProfileRefused {
        /// The URL that was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// The start of the body.
        body: String,
    },
    /// An answer without a profile.
    #[error(
        "{url} answered with {body}: a profile takes a path of the API of a callbench server with profiling switched on, \
         and the token of an admin or of a manager of the workspace"
    )]
    NotProfiled {
        /// The URL that was asked.
        url: String,
        /// What the body is instead.
        body: String,
    },
    /// A profile that is none.
    #[error(
        "{url} gives a profile that can't be read ({what}); callbench and the server should be of one version"
    )]
    BadProfile {
        /// The URL that was asked.
        url: String,
        /// Where the reader stopped.
        what: String,
    },
    /// The database of a target can't be asked.
    #[error("the database of `{subject}` can't be asked: {source}; check the URL, the user and the password")]
    Database {
        /// [`reports::run::Subject::name`].
        subject: String,
        /// What the database or the driver said.
        source: sqlx::Error,
    },
    /// Goose refused its configuration or gave up.
    #[error("the load engine failed: {what}")]
    Engine {
        /// What it said.
        what: String,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}

fn target_hint(text: &str) -> &'static str {
    if text.contains("://") { "; the address of a server goes into --target" } else { "" }
}

fn profile_remedy(status: u16) -> &'static str {
    match status {
        401 => "check the token",
        403 => {
            "check that the workspace exists, and that the token is that of an admin or of a manager of it"
        }
        404 => "check the path, such as `/api/v1/customers/?workspace_id=enterprise-workspace-1`",
        500.. => "the server's log says more",
        _ => "check the path and its query",
    }
}

fn remedy(status: u16) -> &'static str {
    match status {
        401 => "check the token",
        403 => "check that the workspace exists and that the token's user is a member of it",
        404 => "check the base URL: it is what stands before `/api/v1/customers/`",
        500.. => "the server's log says more",
        _ => "check the base URL, the workspace and the token",
    }
}
