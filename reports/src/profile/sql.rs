//! SQL and sentences of a server as they are shown: on one line, as long as there is room, and without anything that a
//! terminal would obey.

/// The text on one line, with control characters as spaces.
pub(super) fn on_one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text on one line of at most `most` characters. A long list of columns goes first, because it tells least.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let line = on_one_line(text);
    if line.chars().count() <= most {
        return line;
    }
    let line = without_columns(&line).unwrap_or(line);
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most.saturating_sub(2)).collect();
    format!("{} …", kept.trim_end())
}

/// `SELECT a, …, z FROM t` becomes `SELECT … FROM t`; `None` for what does not begin with a long list of columns.
fn without_columns(line: &str) -> Option<String> {
    const SELECT: &str = "SELECT ";
    const FROM: &str = " FROM ";
    // `count(*)` says what the statement is for.
    const SHORT: usize = 24;
    let starts_with = |at: usize, word: &str| {
        line.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
    };
    if !starts_with(0, SELECT) {
        return None;
    }
    let mut depth = 0_usize;
    for (at, letter) in line.char_indices().skip(SELECT.len()) {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && starts_with(at, FROM) => {
                return (at - SELECT.len() > SHORT).then(|| format!("SELECT …{}", &line[at..]));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_list_of_columns_goes_first() {
        let sql =
            "SELECT id, name,\n  (SELECT count(*) FROM call) AS calls\nFROM customer WHERE workspace_id = $1";
        assert_eq!(shortened(sql, 60), "SELECT … FROM customer WHERE workspace_id = $1");
        assert_eq!(shortened(sql, 30), "SELECT … FROM customer WHERE …");
        assert_eq!(shortened("SELECT 1", 60), "SELECT 1");
        assert_eq!(
            shortened("WITH page AS (SELECT id FROM customer) SELECT id FROM page", 20),
            "WITH page AS (SELE …"
        );
    }

    #[test]
    fn nothing_is_left_that_a_terminal_would_obey() {
        assert_eq!(on_one_line("a\u{1b}[31m\r\n\tb\u{7}"), "a [31m b");
    }

    proptest! {
        #[test]
        fn any_text_fits(text in "\\PC{0,80}|(?s).{0,80}|(SELECT |select )[a-zé(), ]{0,40}( FROM | from )?.{0,40}", most in 3_usize..60) {
            let line = shortened(&text, most);
            prop_assert!(line.chars().count() <= most, "{line}");
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
