//! Parameters read one after the other, where everything that is wrong with them is kept and said at once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::customers::parameters;
use crate::query::Query;
use crate::refusal::Refusal;

/// Why a value is not what its parameter takes, in Django's words.
pub(crate) type Message = Cow<'static, str>;

/// PostgreSQL can't store a NUL, so no value with one is looked for anywhere.
const NUL: &str = "Null characters are not allowed.";

/// A query that is being read.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    query: &'a Query,
    wrong: BTreeMap<String, Vec<String>>,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(query: &'a Query) -> Self {
        Self { query, wrong: BTreeMap::new() }
    }

    /// What this parameter says; `None` when it is absent or empty, and when it is wrong, which is kept.
    pub(crate) fn value<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, Message>,
    ) -> Option<T> {
        debug_assert!(parameters::is_known(name), "{name} is read, but is not in the table of parameters");
        let text = self.query.given(name)?;
        let parsed = if text.contains('\0') { Err(NUL.into()) } else { parse(text) };
        parsed.map_err(|message| self.refuse(name, message)).ok()
    }

    /// Names every parameter that the list doesn't know.
    pub(crate) fn refuse_unknown(&mut self) {
        let query = self.query;
        for name in query.names().filter(|name| !parameters::is_known(name)) {
            self.refuse(name, "Unknown parameter.".into());
        }
    }

    fn refuse(&mut self, name: &str, message: Message) {
        self.wrong.insert(name.to_owned(), vec![message.into_owned()]);
    }

    /// `read`, unless anything was wrong.
    pub(crate) fn finish<T>(self, read: T) -> Result<T, Refusal> {
        if self.wrong.is_empty() { Ok(read) } else { Err(Refusal::InvalidParameters(self.wrong)) }
    }
}
