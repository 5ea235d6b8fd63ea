//! What a misspelt word was meant to be.

/// Likeness by Jaro and Winkler, from 0 to 1, below which a word is not taken for another one. Two letters that changed
/// places stay well above it, a word of other letters well below.
const ALIKE: f64 = 0.75;

/// The known word most like `word`; `None` when none is like it. Capitals, and `-` for `_`, make no difference.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    let word = plain(word);
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word, &plain(candidate)), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// The guess in the middle of a sentence, with the space before it: `(did you mean …?)`. Empty without one.
#[must_use]
pub fn aside(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |word| format!(" (did you mean `{word}`?)"))
}

/// The guess at the end of a sentence, in the place of its full stop: `; did you mean …?`. Empty without one.
#[must_use]
pub fn question(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_taken_for_the_one_most_like_it() {
        let known = ["first_page", "page_100", "KiB", "my-server"];
        for (typed, meant) in [
            ("frist_page", Some("first_page")),
            ("page-100", Some("page_100")),
            ("my_servr", Some("my-server")),
            ("kib", Some("KiB")),
            ("xyz", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest("first_page", []), None);
    }
}
