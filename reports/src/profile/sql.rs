//! SQL and sentences of a server as they are shown: on one line, as long as there is room, and without anything that a
//! terminal would obey; or, where there is room for all of it, in lines.

/// The text on one line, with control characters as spaces, so that no terminal obeys what a server sent.
#[must_use]
pub fn on_one_line(text: &str) -> String {
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

/// The text in lines: as it came if it has some, else with one for each clause, indented by its parentheses.
pub(super) fn in_lines(text: &str) -> String {
    let text = text.trim();
    if text.contains('\n') {
        return text.to_owned();
    }
    let mut lines = String::with_capacity(text.len() + text.len() / 4);
    let (mut depth, mut quote, mut rest) = (0_usize, None, text);
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        if quote.is_none()
            && letter == ' '
            && !lines.ends_with(" DISTINCT")
            && let Some(clause) = clause(after)
        {
            lines.push('\n');
            lines.push_str(&"  ".repeat(depth));
            lines.push_str(clause);
            rest = &after[clause.len()..];
            continue;
        }
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if open == letter => quote = None,
            ('(', None) => depth += 1,
            (')', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
        lines.push(letter);
        rest = after;
    }
    lines
}

/// The words at the start of a text that begin a clause, if they do.
fn clause(text: &str) -> Option<&str> {
    const CLAUSES: [&str; 15] = [
        "FROM",
        "WHERE",
        "JOIN",
        "LEFT JOIN",
        "RIGHT JOIN",
        "FULL JOIN",
        "INNER JOIN",
        "CROSS JOIN",
        "GROUP BY",
        "HAVING",
        "ORDER BY",
        "LIMIT",
        "OFFSET",
        "UNION",
        "SELECT",
    ];
    CLAUSES.into_iter().find_map(|clause| {
        let (begin, after) = text.split_at_checked(clause.len())?;
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (begin.eq_ignore_ascii_case(clause) && ends).then_some(begin)
    })
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

    #[test]
    fn a_long_line_is_broken_at_its_clauses() {
        let sql = "SELECT id, 'a FROM b', x IS DISTINCT FROM y, (SELECT count(*) FROM call WHERE d = \"from c\") FROM t LEFT JOIN u ON t.i = u.i WHERE fromage = 1 ORDER BY id";
        let lines = "\
SELECT id, 'a FROM b', x IS DISTINCT FROM y, (SELECT count(*)
  FROM call
  WHERE d = \"from c\")
FROM t
LEFT JOIN u ON t.i = u.i
WHERE fromage = 1
ORDER BY id";
        assert_eq!(in_lines(sql), lines);
        assert_eq!(in_lines(" SELECT 1\n  FROM  t "), "SELECT 1\n  FROM  t", "its own lines are kept");
    }

    proptest! {
        #[test]
        fn lines_hold_the_same_words(text in "(SELECT|FROM|LEFT JOIN|é|x|\\(|\\)|'|\"| ){0,40}") {
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(words(&in_lines(&text)), words(&text));
        }

        #[test]
        fn any_text_fits(text in "\\PC{0,80}|(?s).{0,80}|(SELECT |select )[a-zé(), ]{0,40}( FROM | from )?.{0,40}", most in 3_usize..60) {
            let line = shortened(&text, most);
            prop_assert!(line.chars().count() <= most, "{line}");
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
