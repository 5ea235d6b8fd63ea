//! Rows as CSV: whatever a field holds, `PostgreSQL` reads the same value from the line as from the bytes.

use cluster::testing;
use datagen::encode::{Fields, Writer};
use datagen::export::csv;
use datagen::wire::Rows;
use datagen::{Column, Kind};
use futures_util::StreamExt as _;
use proptest::option::weighted as option;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use sqlx::{Connection as _, PgConnection};

use crate::support::{connect, number};

const COLUMNS: [Column; 10] = [
    Column { name: "id", kind: Kind::Uuid },
    Column { name: "word", kind: Kind::Text },
    Column { name: "raw", kind: Kind::Bytea },
    Column { name: "flag", kind: Kind::Boolean },
    Column { name: "small", kind: Kind::Integer },
    Column { name: "large", kind: Kind::Bigint },
    Column { name: "float", kind: Kind::Double },
    Column { name: "exact", kind: Kind::Numeric },
    Column { name: "object", kind: Kind::Jsonb },
    Column { name: "moment", kind: Kind::Timestamptz },
];

/// A row of [`COLUMNS`]; `None` is NULL.
#[derive(Debug, Clone)]
struct Row {
    id: Option<[u8; 16]>,
    word: Option<String>,
    raw: Option<Vec<u8>>,
    flag: Option<bool>,
    small: Option<i32>,
    large: Option<i64>,
    float: Option<f64>,
    exact: Option<Vec<u8>>,
    object: Option<String>,
    moment: Option<i64>,
}

impl Row {
    fn write(&self, fields: &mut Fields<'_>) {
        let mut bytes = |value: Option<&[u8]>| match value {
            Some(value) => fields.bytes(value),
            None => fields.null(),
        };
        bytes(self.id.as_ref().map(<[u8; 16]>::as_slice));
        bytes(self.word.as_ref().map(String::as_bytes));
        bytes(self.raw.as_deref());
        bytes(self.flag.map(|flag| [u8::from(flag)]).as_ref().map(<[u8; 1]>::as_slice));
        bytes(self.small.map(i32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
        bytes(self.large.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        bytes(self.float.map(f64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        bytes(self.exact.as_deref());
        bytes(self.object.as_ref().map(|text| [&[1], text.as_bytes()].concat()).as_deref());
        bytes(self.moment.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }
}

/// Texts that mean something to CSV, to COPY, or to a terminal.
const HOSTILE: &[&str] = &[
    "",
    " ",
    "\"",
    "\"\"",
    ",",
    "\n",
    "\r",
    "\r\n",
    "\\",
    "\\.",
    "\\N",
    "NULL",
    "a,b",
    "a\"b",
    "a\nb",
    " a ",
    "x\n\\.\ny",
    "\t",
    "'",
    "\\x41",
    "Nguyễn Văn Ánh",
    "{}",
    "\u{feff}",
    "\u{2028}",
];

/// Those, others, and some in a row.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(HOSTILE).prop_map(str::to_owned).boxed(),
        "[^\0]{0,12}".boxed(),
        proptest::collection::vec(proptest::sample::select(HOSTILE), 0..5)
            .prop_map(|words| words.concat())
            .boxed(),
    ]
}

/// A numeric as `numeric_send` has it: digits without zeros at either end, and enough decimals for them.
fn numerics() -> impl Strategy<Value = Vec<u8>> {
    let digits =
        (1_i16..10_000, proptest::collection::vec(0_i16..10_000, 0..6), -4_i16..8, any::<bool>(), 0_u16..20);
    let finite = digits.prop_map(|(first, mut digits, weight, is_negative, more_decimals)| {
        digits.insert(0, first);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let count = i16::try_from(digits.len()).unwrap();
        let decimals = (4 * (count - 1 - weight)).max(0).cast_unsigned() + more_decimals;
        let sign = if is_negative { 0x4000_u16 } else { 0 };
        let head = [count.cast_unsigned(), weight.cast_unsigned(), sign, decimals];
        let words = head.into_iter().chain(digits.into_iter().map(i16::cast_unsigned));
        words.flat_map(u16::to_be_bytes).collect()
    });
    let special = |sign: u16| [0, 0, sign, 0].into_iter().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let zero = [0_u16, 0, 0, 4].into_iter().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    prop_oneof![
        12 => finite,
        1 => Just(zero),
        1 => Just(special(0xc000)), // NaN
    ]
}

fn rows() -> impl Strategy<Value = Row> {
    // From 4713 BC to 294276 AD, and both infinities.
    let moments = prop_oneof![
        8 => 0_i64..1_000_000_000_000_000,
        4 => -211_810_204_800_000_000_i64..9_223_371_331_200_000_000,
        1 => Just(i64::MAX),
        1 => Just(i64::MIN),
    ];
    let floats = prop_oneof![
        4 => any::<f64>().prop_filter("one NaN has one form", |float| !float.is_nan()),
        4 => -1e6..1e6,
        1 => Just(f64::NAN),
        1 => Just(-0.0),
        1 => Just(f64::MIN_POSITIVE / 8.0),
    ];
    let objects = texts().prop_map(|text| {
        // As jsonb prints it, so that the bytes stay the same.
        format!(
            "{{\"key\": {}}}",
            serde_json::Value::from(text.replace(|c: char| c.is_control() && c != '\n', ""))
        )
    });
    (
        option(0.9, any::<[u8; 16]>()),
        option(0.9, texts()),
        option(0.9, any::<Vec<u8>>()),
        option(0.9, any::<bool>()),
        option(0.9, any::<i32>()),
        option(0.9, any::<i64>()),
        option(0.9, floats),
        option(0.9, numerics()),
        option(0.9, objects),
        option(0.9, moments),
    )
        .prop_map(|(id, word, raw, flag, small, large, float, exact, object, moment)| Row {
            id,
            word,
            raw,
            flag,
            small,
            large,
            float,
            exact,
            object,
            moment,
        })
}

async fn copy(conn: &mut PgConnection, statement: &str, bytes: &[u8]) {
    let mut copy = conn.copy_in_raw(statement).await.unwrap();
    copy.send(bytes).await.unwrap();
    copy.finish().await.unwrap();
}

#[tokio::test]
async fn every_value_survives_the_way_through_csv() {
    let mut runner = TestRunner::deterministic();
    let rows: Vec<Row> = (0..3_000).map(|_| rows().new_tree(&mut runner).unwrap().current()).collect();
    let mut binary = Vec::new();
    let mut keep = |piece: Vec<u8>| {
        binary.extend_from_slice(&piece);
        Some(piece)
    };
    let mut writer = Writer::new(Vec::new(), 10_000, &mut keep);
    for row in &rows {
        assert!(writer.row(10, |fields| row.write(fields)).is_continue());
    }
    writer.end().unwrap();
    let mut lines = Vec::new();
    csv::header(&COLUMNS, &mut lines);
    let mut stream = Rows::new();
    stream.push(&binary, |row| csv::line(&COLUMNS, row, &mut lines)).unwrap();
    stream.end().unwrap();

    let database = testing::database("csv").await;
    let mut conn = connect(database.url()).await;
    for table in ["by_bytes", "by_line"] {
        let create = format!(
            "CREATE TABLE {table} (place serial, id uuid, word text, raw bytea, flag boolean, small integer,
                                   large bigint, float double precision, exact numeric, object jsonb,
                                   moment timestamptz)"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut conn).await.unwrap();
    }
    let names = COLUMNS.map(|column| column.name).join(", ");
    copy(&mut conn, &format!("COPY by_bytes ({names}) FROM STDIN (FORMAT binary)"), &binary).await;
    copy(&mut conn, &format!("COPY by_line ({names}) FROM STDIN (FORMAT csv, HEADER match)"), &lines).await;
    assert_eq!(number(&mut conn, "SELECT count(*) FROM by_line").await, 3_000);
    // As text too, which has more digits and signs than `=` looks at: 1.0 and 1.00, 0 and -0.
    let differing: Vec<String> = sqlx::query_scalar(
        "SELECT a::text || ' became ' || b::text FROM by_bytes a FULL JOIN by_line b USING (place)
         WHERE a IS DISTINCT FROM b OR a::text IS DISTINCT FROM b::text",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(differing, Vec::<String>::new());
    let mut bytes = [Vec::new(), Vec::new()];
    for (table, bytes) in ["by_bytes", "by_line"].into_iter().zip(&mut bytes) {
        let statement =
            format!("COPY (SELECT {names} FROM {table} ORDER BY place) TO STDOUT (FORMAT binary)");
        let mut pieces = conn.copy_out_raw(&statement).await.unwrap();
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece.unwrap());
        }
    }
    assert!(bytes[0] == bytes[1] && bytes[0] == binary);
    conn.close().await.unwrap();
}

#[test]
fn a_line_is_what_a_reader_of_csv_expects() {
    let row = Row {
        id: Some(*b"0123456789abcdef"),
        word: Some("Ánh said \"yes, but\"\nno more".to_owned()),
        raw: Some(vec![0, 255]),
        flag: Some(true),
        small: Some(-5),
        large: Some(i64::MAX),
        float: Some(0.1),
        exact: Some([2_u16, 0, 0, 4, 4, 3275].into_iter().flat_map(u16::to_be_bytes).collect()),
        object: Some("{\"a\": 1}".to_owned()),
        moment: Some(1),
    };
    let null = Row {
        id: None,
        word: Some(String::new()),
        raw: None,
        flag: Some(false),
        small: None,
        large: None,
        float: Some(1e300),
        exact: None,
        object: None,
        moment: None,
    };
    let mut lines = Vec::new();
    csv::header(&COLUMNS, &mut lines);
    for row in [row, null] {
        let mut bytes = Vec::new();
        let mut keep = |piece: Vec<u8>| {
            bytes.extend_from_slice(&piece);
            Some(piece)
        };
        let mut writer = Writer::new(Vec::new(), 10_000, &mut keep);
        assert!(writer.row(10, |fields| row.write(fields)).is_continue());
        writer.end().unwrap();
        Rows::new().push(&bytes, |row| csv::line(&COLUMNS, row, &mut lines)).unwrap();
    }
    assert_eq!(
        String::from_utf8(lines).unwrap(),
        "id,word,raw,flag,small,large,float,exact,object,moment\n\
         30313233-3435-3637-3839-616263646566,\"Ánh said \"\"yes, but\"\"\nno more\",\\x00ff,t,-5,\
         9223372036854775807,0.1,4.3275,\"{\"\"a\"\": 1}\",2000-01-01T00:00:00.000001+00:00\n\
         ,\"\",,f,,,1e300,,,\n"
    );
}
