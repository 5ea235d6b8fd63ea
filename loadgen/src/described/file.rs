//! Reading a file of scenarios: its sections, and what each may hold.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use reports::document::{self, Mistake, in_order, string, unknown_key};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use toml::de::DeTable;

use super::asker::Credentials;
use super::data::Data;
use super::operation::Described;
use super::placeholders::{self, Placeholders};
use super::plain::{Written, number, table};
use super::template::Template;
use crate::error::Error;
use crate::operations::Operation;
use crate::scenarios::{Part, Scenario};

const SECTIONS: [&str; 4] = ["data", "auth", "scenario", "mix"];
const AUTH_KEYS: [&str; 2] = ["header", "value"];

/// Reads the scenarios of a file, which may not have the names in `taken`: each by itself, then the mixes.
pub fn read(file: &Path, taken: &[String]) -> Result<Vec<Scenario>, Error> {
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|cause| Error::NoScenarioFile { file: name.clone(), cause })?;
    parse(&name, &text, file.parent().unwrap_or(Path::new("")), taken)
}

/// Reads the text of such a file. Errors call it `file_name`; the files that it names lie in `folder`.
pub fn parse(file_name: &str, text: &str, folder: &Path, taken: &[String]) -> Result<Vec<Scenario>, Error> {
    let place = Place { text, folder };
    place.sections(taken).map_err(|mistake| mistake.locate(file_name, text).into())
}

/// The file that is being read.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    text: &'a str,
    pub(super) folder: &'a Path,
}

impl Place<'_> {
    fn sections(self, taken: &[String]) -> Result<Vec<Scenario>, Mistake> {
        let document = document::parse(self.text)?;
        let sections = in_order(document.get_ref());
        if let Some((key, span, _)) = sections.iter().find(|(key, ..)| !SECTIONS.contains(key)) {
            let expected = "a file of scenarios has [data.NAME], [auth], [scenario.NAME] and [mix.NAME]";
            return Err(Mistake::new(span.clone(), "unknown key", expected).suggest(key, SECTIONS));
        }
        // Data and credentials may stand behind the scenarios that use them.
        let data = self.data(&named(document.get_ref(), "data")?)?;
        let credentials = Arc::new(self.credentials(document.get_ref())?);
        let mut scenarios: Vec<Scenario> = Vec::new();
        for (name, span, value) in named(document.get_ref(), "scenario")? {
            refuse_name(name, &span, taken)?;
            let section = table(value, &span, "expected a section [scenario.NAME]")?;
            let (form, writes) = self.scenario(name, &span, section, Placeholders::of_scenario(&data))?;
            let (credentials, form) = (Arc::clone(&credentials), Arc::new(form));
            let operation = Described { name: name.to_owned(), writes, credentials, form };
            scenarios.push(Scenario::of(Arc::new(operation)));
        }
        if scenarios.is_empty() {
            let expected = "expected a section such as [scenario.search] with `path = \"/api/products/\"`";
            return Err(Mistake::new(0..0, "no scenario in the file", expected));
        }
        let operations: Vec<Arc<dyn Operation>> = scenarios
            .iter()
            .flat_map(|scenario| &scenario.parts)
            .map(|part| Arc::clone(&part.operation))
            .collect();
        for (name, span, value) in named(document.get_ref(), "mix")? {
            refuse_name(name, &span, taken)?;
            if operations.iter().any(|operation| operation.name() == name) {
                let expected = format!("[scenario.{name}] has it; give the mix another one");
                return Err(Mistake::new(span, "name of a scenario", expected));
            }
            let parts = mix(table(value, &span, "expected a section [mix.NAME]")?, &span, &operations)?;
            scenarios.push(Scenario { name: name.to_owned(), parts });
        }
        Ok(scenarios)
    }

    fn data(self, sections: &[Entry<'_, '_>]) -> Result<BTreeMap<String, Arc<Data>>, Mistake> {
        let mut data = BTreeMap::new();
        for (name, span, value) in sections {
            refuse_letters(name, span)?;
            if placeholders::is_taken(name) {
                let expected = format!("{{{name}}} has a meaning of its own; give the data another name");
                return Err(Mistake::new(span.clone(), "reserved name", expected));
            }
            let section = table(value, span, "expected a section [data.NAME]")?;
            data.insert((*name).to_owned(), Arc::new(self.data_section(name, span, section)?));
        }
        Ok(data)
    }

    fn credentials(self, document: &DeTable<'_>) -> Result<Credentials, Mistake> {
        let mut placeholders = Placeholders::only(&["token", "workspace"]);
        let Some((_, span, value)) = in_order(document).into_iter().find(|(key, ..)| *key == "auth") else {
            let value = Template::parse("Bearer {token}", &mut placeholders)?;
            return Ok(Credentials { header: AUTHORIZATION, value, used: placeholders.used() });
        };
        let expected = "expected a section [auth] with `header = \"X-Api-Key\"` and `value = \"{token}\"`";
        let (mut header, mut template) = (AUTHORIZATION, Template::parse("{token}", &mut placeholders)?);
        for (key, span, value) in in_order(table(value, &span, expected)?) {
            match key {
                "header" => {
                    header = header_name(string(value, "expected the name of a header")?, value.span())?;
                }
                "value" => template = self.header_value(value, &mut placeholders)?,
                _ => return Err(unknown_key(span, key, "auth", &AUTH_KEYS)),
            }
        }
        Ok(Credentials { header, value: template, used: placeholders.used() })
    }

    /// A text with placeholders.
    pub(super) fn template(
        self,
        value: &Written<'_>,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Template, Mistake> {
        let text = string(value, "expected a text in quotes")?;
        Template::parse(text, placeholders).map_err(|mistake| document::inside(self.text, value, mistake))
    }

    /// One that a header can carry, as far as it stands for itself.
    pub(super) fn header_value(
        self,
        value: &Written<'_>,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Template, Mistake> {
        let template = self.template(value, placeholders)?;
        if template.own_texts().any(|text| HeaderValue::from_bytes(text.as_bytes()).is_err()) {
            let expected = "it holds characters that no header can carry, such as a line break";
            return Err(Mistake::new(value.span(), "bad value of a header", expected));
        }
        Ok(template)
    }

    /// A path, with a query if it has one, on the server.
    pub(super) fn path(
        self,
        value: &Written<'_>,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Template, Mistake> {
        let wrong = |expected: &str| Err(Mistake::new(value.span(), "bad path", expected));
        let text = string(value, "expected a path in quotes, such as \"/api/products/\"")?;
        if !text.starts_with('/') {
            return wrong("a path begins with `/`; the address of the server goes into --target");
        }
        if text.contains('#') || text.contains(char::is_control) {
            return wrong("it holds a `#`, which no server gets to see, or a line break or tab");
        }
        self.template(value, placeholders)
    }
}

/// A key of a table, where it stands, and its value.
pub(super) type Entry<'a, 'i> = (&'a str, Range<usize>, &'a Written<'i>);

/// The sections of a kind, such as all `[data.NAME]`.
fn named<'a, 'i>(document: &'a DeTable<'i>, kind: &str) -> Result<Vec<Entry<'a, 'i>>, Mistake> {
    match in_order(document).into_iter().find(|(key, ..)| *key == kind) {
        Some((_, span, value)) => {
            Ok(in_order(table(value, &span, &format!("expected sections such as [{kind}.NAME]"))?))
        }
        None => Ok(Vec::new()),
    }
}

/// The name of a header.
pub(super) fn header_name(name: &str, span: Range<usize>) -> Result<HeaderName, Mistake> {
    let expected = "expected one such as \"X-Source\"";
    name.parse().map_err(|_| Mistake::new(span, "bad name of a header", expected))
}

fn refuse_name(name: &str, span: &Range<usize>, taken: &[String]) -> Result<(), Mistake> {
    refuse_letters(name, span)?;
    if taken.iter().any(|taken| taken == name) {
        let expected = "another scenario has this name; give this one another";
        return Err(Mistake::new(span.clone(), "name that is taken", expected));
    }
    Ok(())
}

fn refuse_letters(name: &str, span: &Range<usize>) -> Result<(), Mistake> {
    let is_sound = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !name.is_empty() && name.chars().all(is_sound) {
        return Ok(());
    }
    let expected = "a name is made of the letters a to z, digits, `_` and `-`";
    Err(Mistake::new(span.clone(), "bad name", expected))
}

fn mix(
    section: &DeTable<'_>,
    span: &Range<usize>,
    operations: &[Arc<dyn Operation>],
) -> Result<Vec<Part>, Mistake> {
    let mut parts = Vec::new();
    for (name, span, value) in in_order(section) {
        let names = || operations.iter().map(|operation| operation.name());
        let operation = operations.iter().find(|operation| operation.name() == name).ok_or_else(|| {
            let known: Vec<&str> = names().collect();
            Mistake::new(span, "unknown scenario", format!("the file has {}", known.join(", ")))
                .suggest(name, names())
        })?;
        let expected = "expected a positive number: how often, beside the others of the mix";
        let weight = number(value, expected)?;
        if weight <= 0.0 {
            return Err(Mistake::new(value.span(), "weight that is not positive", expected));
        }
        parts.push(Part { operation: Arc::clone(operation), weight });
    }
    if parts.is_empty() {
        let expected = "expected scenarios and their weights, such as `search = 90`";
        return Err(Mistake::new(span.clone(), "empty mix", expected));
    }
    Ok(parts)
}

/// What the first scenario of a file looks like.
#[cfg(test)]
pub(super) fn form(text: &str, folder: &Path) -> Result<super::operation::Form, Mistake> {
    let place = Place { text, folder };
    let document = document::parse(text)?;
    let data = place.data(&named(document.get_ref(), "data")?)?;
    let scenarios = named(document.get_ref(), "scenario")?;
    let (name, span, value) = &scenarios[0];
    let section = table(value, span, "a section")?;
    place.scenario(name, span, section, Placeholders::of_scenario(&data)).map(|(form, _)| form)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[mix.day]
search = 90
buy = 10.5

[scenario.search]
path = "/api/products/?x=1"
query = { shop = "{workspace}", q = "{word}", page = 1, tag = ["a", "b&c"] }
[scenario.buy]
method = "POST"
path = "/api/products/{product}/orders/"
body = { amount = 3, at = 2024-05-01T10:00:00Z, notes = ["order {number}"] }
[scenario.peek]
method = "POST"
path = "/peek"
writes = false

[data.product]
from = { path = "/api/products/?shop={workspace}", each = "/results/*/id" }
[data.word]
values = ["red"]
"#;

    fn read(text: &str) -> Result<Vec<Scenario>, String> {
        let taken = ["first_page".to_owned(), "mix".to_owned()];
        parse("shop.toml", text, Path::new("/nowhere"), &taken).map_err(|error| error.to_string())
    }

    #[test]
    fn scenarios_come_in_the_order_of_the_file_and_mixes_after_them() {
        let scenarios = read(GOOD).unwrap();
        let seen: Vec<_> =
            scenarios.iter().map(|scenario| (scenario.name.as_str(), scenario.writes())).collect();
        assert_eq!(seen, [("search", false), ("buy", true), ("peek", false), ("day", true)]);
        let parts: Vec<_> =
            scenarios[3].parts.iter().map(|part| (part.operation.name(), part.weight)).collect();
        assert_eq!(parts, [("search", 90.0), ("buy", 10.5)]);
    }

    #[test]
    fn the_query_of_a_scenario_follows_that_of_its_path() {
        let form = form(GOOD, Path::new("")).unwrap();
        let url = form.path.url_text(&["acme".into(), "ü/?".into()]);
        assert_eq!(url, "/api/products/?x=1&shop=acme&q=%C3%BC%2F%3F&page=1&tag=a&tag=b%26c");
    }

    #[test]
    fn lines_of_a_file_beside_it_are_values() {
        let folder = std::env::temp_dir().join(format!("callbench-words-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("words.txt"), "\u{feff}red\r\n\n light blue\n").unwrap();
        let text = "[data.word]\nfile = \"words.txt\"\n[scenario.s]\npath = \"/{word}\"";
        let form = form(text, &folder);
        std::fs::remove_dir_all(&folder).unwrap();
        let placeholders::Source::Data(data) = &form.unwrap().used[0].1 else { panic!("data") };
        let super::super::data::Origin::Given(values) = &data.origin else { panic!("given") };
        assert_eq!(values[..], ["red", " light blue"]);
    }

    /// Every mistake with its line, column, and the words that a user sees.
    #[test]
    fn mistakes_are_reported_with_line_and_column() {
        let scenario = |line: &str| format!("[scenario.s]\npath = \"/\"\n{line}");
        let data = |line: &str| format!("[scenario.s]\npath = \"/\"\n[data.d]\n{line}");
        for (text, says) in [
            (String::new(), "1:1: no scenario in the file ``: expected a section such as [scenario.search]"),
            ("[scenario.s\n".to_owned(), "1:12: not valid TOML at"),
            (
                "[scenarios.s]\n".to_owned(),
                "1:2: unknown key `scenarios`: a file of scenarios has [data.NAME], [auth], [scenario.NAME] and [mix.NAME]; did you mean `scenario`?",
            ),
            (
                "scenario = 1".to_owned(),
                "1:1: not a table `scenario`: expected sections such as [scenario.NAME]",
            ),
            ("[scenario]\ns = 1".to_owned(), "2:1: not a table `s`: expected a section [scenario.NAME]"),
            ("[scenario.first_page]\npath = \"/\"".to_owned(), "1:11: name that is taken `first_page`"),
            ("[scenario.mix]\npath = \"/\"".to_owned(), "1:11: name that is taken `mix`"),
            ("[scenario.\"a=b\"]\npath = \"/\"".to_owned(), "1:11: bad name `\"a=b\"`"),
            ("[scenario.s]\nmethod = \"GET\"".to_owned(), "1:11: scenario without a path `s`"),
            ("[scenario.s]\npath = \"api\"".to_owned(), "2:8: bad path `\"api\"`: a path begins with `/`"),
            ("[scenario.s]\npath = \"/a#b\"".to_owned(), "2:8: bad path `\"/a#b\"`: it holds a `#`"),
            (
                "[scenario.s]\npath = \"/é/{workspce}\"".to_owned(),
                "2:12: unknown placeholder `{workspce}`: here can stand {workspace}, {number}, {uuid}, and {{ for a brace; did you mean `workspace`?",
            ),
            ("[scenario.s]\npath = \"/{token}\"".to_owned(), "2:10: unknown placeholder `{token}`"),
            ("[scenario.s]\npath = \"/\\u0041{x}\"".to_owned(), "2:8: unknown placeholder `\"/\\u0041{x}\"`"),
            (
                scenario("method = \"get\""),
                "3:10: unknown method `\"get\"`: expected one of GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE; did you mean `GET`?",
            ),
            (
                scenario("methode = \"GET\""),
                "3:1: unknown key `methode`: [scenario.s] has method, path, query, headers, body, expect, writes; did you mean `method`?",
            ),
            (scenario("writes = 1"), "3:10: neither true nor false `1`"),
            (scenario("query = \"a=b\""), "3:1: not a table `query`"),
            (scenario("query = { a = { b = 1 } }"), "3:15: value with parts `{ b = 1 }`"),
            (scenario("headers = { \"a b\" = \"c\" }"), "3:13: bad name of a header `\"a b\"`"),
            (
                scenario("headers = { Content-Length = \"3\" }"),
                "3:13: header of the transport `Content-Length`",
            ),
            (scenario("headers = { A = \"a\\nb\" }"), "3:17: bad value of a header"),
            (scenario("body = { a = \"{b\" }"), "3:15: lonely brace `{`"),
            (scenario("body = { a = inf }"), "3:14: not a number `inf`: JSON has neither infinity nor NaN"),
            (
                scenario("body = { a = 99999999999999999999 }"),
                "3:14: not a whole number `99999999999999999999`",
            ),
            (scenario("expect = 200"), "3:1: not a table `expect`: expected what a right reply has"),
            (
                scenario("expect = { stauts = 200 }"),
                "3:12: unknown key `stauts`: [expect] has status, json, each, contains, header; did you mean `status`?",
            ),
            (scenario("expect = { status = 20 }"), "3:21: no HTTP status `20`"),
            (scenario("expect = { status = [] }"), "3:21: no HTTP status `[]`"),
            (
                scenario("expect = { json = { \"/a\" = { one_of = [] } } }"),
                "3:39: nothing that could hold `[]`",
            ),
            (
                scenario("expect = { json = { \"/a\" = { at_least = 2, at_most = 1 } } }"),
                "3:28: nothing that could hold `{ at_least = 2, at_most = 1 }`",
            ),
            (scenario("expect = { status = [200, \"x\"] }"), "3:27: not a whole number `\"x\"`"),
            (
                scenario("expect = { json = { results = 1 } }"),
                "3:21: bad pointer `results`: it begins with `/`",
            ),
            (scenario("expect = { json = { \"/a/*\" = 1 } }"), "3:21: pointer to several places `\"/a/*\"`"),
            (scenario("expect = { each = { \"/a\" = 1 } }"), "3:21: pointer to one place `\"/a\"`"),
            (
                scenario("expect = { json = { \"/a\" = { typ = \"array\" } } }"),
                "3:30: unknown key `typ`: [condition] has equals, one_of, type, at_least, at_most, exists; did you mean `type`?",
            ),
            (
                scenario("expect = { json = { \"/a\" = { type = \"arry\" } } }"),
                "3:37: unknown type `\"arry\"`: expected one of array, object, string, number, integer, boolean, null; did you mean `array`?",
            ),
            (scenario("expect = { json = { \"/a\" = {} } }"), "3:28: nothing that could hold `{}`"),
            (
                scenario("expect = { json = { \"/a\" = { exists = false, at_least = 1 } } }"),
                "3:28: nothing that could hold",
            ),
            (scenario("expect = { json = { \"/a\" = { at_least = \"1\" } } }"), "3:41: not a number `\"1\"`"),
            (scenario("[mix.day]\nsaerch = 1"), "4:1: unknown scenario `saerch`: the file has s"),
            (scenario("[mix.day]\nS = 1"), "4:1: unknown scenario `S`: the file has s; did you mean `s`?"),
            (scenario("[mix.day]\ns = 0"), "4:5: weight that is not positive `0`"),
            (scenario("[mix.day]\n"), "3:6: empty mix `day`"),
            (scenario("[mix.s]\ns = 1"), "3:6: name of a scenario `s`"),
            (scenario("[mix.first_page]\ns = 1"), "3:6: name that is taken `first_page`"),
            (
                scenario("[auth]\nheadr = \"X\""),
                "4:1: unknown key `headr`: [auth] has header, value; did you mean `header`?",
            ),
            (
                scenario("[auth]\nvalue = \"{tokn}\""),
                "4:10: unknown placeholder `{tokn}`: here can stand {token}, {workspace}, and {{ for a brace; did you mean `token`?",
            ),
            (data(""), "3:7: data without values `d`: expected one of values, file, range and from"),
            (
                data("value = [1]"),
                "4:1: unknown key `value`: [data.d] has values, file, range, from, skew; did you mean `values`?",
            ),
            (data("values = [1]\nrange = [1, 2]"), "5:1: second origin `range`"),
            (data("values = []"), "4:10: not a list of values `[]`: expected at least one value"),
            (data("values = [1, [2]]"), "4:14: value with parts `[2]`"),
            (data("range = [2, 1]"), "4:9: bad range `[2, 1]`"),
            (data("range = [1]"), "4:9: bad range `[1]`"),
            (data("range = [-9223372036854775808, 9223372036854775807]"), "4:9: bad range"),
            (data("values = [1]\nskew = -1"), "5:8: negative skew `-1`"),
            (data("file = \"words.txt\""), "4:8: unreadable file `\"words.txt\"`: No such file"),
            (data("from = { path = \"/\" }"), "4:1: path or each is missing `from`"),
            (
                data("from = { path = \"/{number}\", each = \"/*\" }"),
                "4:19: unknown placeholder `{number}`: here can stand {workspace}, and",
            ),
            (data("from = { path = \"/\", each = \"/a\" }"), "4:29: pointer to one place `\"/a\"`"),
            (data("from = { path = \"/\", each = \"/*\", at_most = 0 }"), "4:45: bad number `0`"),
            (
                data("from = { path = \"/\", each = \"/*\", max = 0 }"),
                "4:35: unknown key `max`: [from] has path, each, next, at_most",
            ),
            ("[data.uuid]\nvalues = [1]".to_owned(), "1:7: reserved name `uuid`"),
        ] {
            let said = read(&text).map(|_| "nothing").unwrap_err();
            assert!(said.starts_with(&format!("shop.toml:{says}")), "{text}\n  {said}\n  {says}");
        }
    }
}
