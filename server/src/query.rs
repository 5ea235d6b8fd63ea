//! The query string, as Django reads one: pairs in the order in which they were sent, where the last of several equal
//! names counts.

/// The decoded parameters of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a raw query string. Everything is readable: bytes that are not UTF-8 become replacement characters.
    pub(crate) fn parse(raw: &str) -> Self {
        Self(form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    /// The value that counts for this name, empty or not.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value that counts for this name, unless it is empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.last(name).filter(|value| !value.is_empty())
    }

    /// All names, as often as they were sent.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The same parameters, with those of the names in `replaced` gone and the pairs of `added` there instead, sorted
    /// by name and encoded. Equal names keep their order.
    pub(crate) fn rewritten(&self, replaced: &[&str], added: &[(&str, &str)]) -> String {
        let kept = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut pairs: Vec<(&str, &str)> = kept
            .filter(|(name, _)| !replaced.contains(name) && added.iter().all(|(new, _)| new != name))
            .chain(added.iter().copied())
            .collect();
        pairs.sort_by_key(|(name, _)| *name);
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_equal_names_counts_even_when_it_is_empty() {
        let query = Query::parse("a=1&a=2&b=3&b=");
        assert_eq!(query.last("a"), Some("2"));
        assert_eq!(query.last("b"), Some(""));
        assert_eq!(query.given("b"), None);
        assert_eq!(query.last("c"), None);
    }

    #[test]
    fn rewriting_sorts_keeps_empty_values_and_replaces_every_occurrence() {
        let query = Query::parse("z=1&cursor=old&a=&z=0&cursor=older&q=a%2Cb+c&page=2");
        assert_eq!(query.rewritten(&["page"], &[("cursor", "new")]), "a=&cursor=new&q=a%2Cb+c&z=1&z=0");
    }

    #[test]
    fn any_bytes_are_a_query_string() {
        assert_eq!(Query::parse("%FF=%00&%zz&=&&").last("%zz"), Some(""));
    }
}
