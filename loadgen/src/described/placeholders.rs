//! What can stand in braces, and what of it a scenario uses.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use reports::document::Mistake;

use super::data::Data;

/// Where the value of a placeholder comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The workspace of who asks.
    Workspace,
    /// The token of who asks.
    Token,
    /// The number of the arrival.
    Number,
    /// A UUID of version 4, drawn.
    Uuid,
    /// A value of the data, drawn.
    Data(Arc<Data>),
}

/// What can be used without being described.
const OWN: [(&str, Source); 4] = [
    ("workspace", Source::Workspace),
    ("token", Source::Token),
    ("number", Source::Number),
    ("uuid", Source::Uuid),
];

/// Whether a name is one that data can't have.
pub(super) fn is_taken(name: &str) -> bool {
    OWN.iter().any(|(own, _)| *own == name)
}

/// The placeholders that may stand in some part of the file, and those that do: a template holds their places among the
/// latter.
#[derive(Debug)]
pub(super) struct Placeholders<'a> {
    allowed: Vec<&'static str>,
    data: Option<&'a BTreeMap<String, Arc<Data>>>,
    used: Vec<(String, Source)>,
}

impl<'a> Placeholders<'a> {
    /// Those of a scenario.
    pub(super) fn of_scenario(data: &'a BTreeMap<String, Arc<Data>>) -> Self {
        Self { allowed: vec!["workspace", "number", "uuid"], data: Some(data), used: Vec::new() }
    }

    /// Some that need no description, and no others.
    pub(super) fn only(allowed: &[&'static str]) -> Self {
        Self { allowed: allowed.to_vec(), data: None, used: Vec::new() }
    }

    /// The place of a placeholder that stands at `span`.
    pub(super) fn place(&mut self, name: &str, span: Range<usize>) -> Result<usize, Mistake> {
        if let Some(place) = self.used.iter().position(|(used, _)| used == name) {
            return Ok(place);
        }
        let source = match self.data.and_then(|data| data.get(name)) {
            Some(data) => Source::Data(Arc::clone(data)),
            None => self.own(name).ok_or_else(|| self.unknown(name, span))?,
        };
        self.used.push((name.to_owned(), source));
        Ok(self.used.len() - 1)
    }

    fn own(&self, name: &str) -> Option<Source> {
        let allowed = self.allowed.contains(&name);
        OWN.iter().find(|(own, _)| allowed && *own == name).map(|(_, source)| source.clone())
    }

    fn unknown(&self, name: &str, span: Range<usize>) -> Mistake {
        let data = self.data.into_iter().flat_map(BTreeMap::keys).map(String::as_str);
        let known: Vec<&str> = data.chain(self.allowed.iter().copied()).collect();
        let list: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
        let expected = format!("here can stand {}, and {{{{ for a brace", list.join(", "));
        Mistake::new(span, "unknown placeholder", expected).suggest(name, known)
    }

    /// What is used, in the order of places.
    pub(super) fn used(self) -> Vec<(String, Source)> {
        self.used
    }
}
