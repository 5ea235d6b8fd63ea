//! What is refused, in which words, and in which order.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::tenants::Tenants;

/// Bodies as they are sent, for what `json!` can't write.
async fn post_raw(tenants: &Tenants, path: &str, body: impl Into<Vec<u8>>) -> crate::service::Answer {
    tenants.service.write(Method::POST, &tenants.url(path), &tenants.admin, body.into()).await
}

#[tokio::test]
async fn each_field_of_a_customer_says_what_is_wrong_with_it() {
    let mut tenants = Tenants::new().await;
    let before = tenants.rows("customer").await;
    let long = |count: usize| "é".repeat(count);
    let table: Vec<(&str, Value, String)> = vec![
        ("name", json!(null), "This field may not be null.".into()),
        ("name", json!(" \n"), "This field may not be blank.".into()),
        ("name", json!({}), "Not a valid string.".into()),
        ("name", json!(true), "Not a valid string.".into()),
        ("name", json!(long(256)), "Ensure this field has no more than 255 characters.".into()),
        ("name", json!("a\0"), "Null characters are not allowed.".into()),
        ("phone", json!(""), "This field may not be blank.".into()),
        ("phone", json!(long(21)), "Ensure this field has no more than 20 characters.".into()),
        ("email", json!("nobody"), "Enter a valid email address.".into()),
        ("email", json!([]), "Not a valid string.".into()),
        ("carrier", json!(""), "This field may not be blank.".into()),
        ("carrier", json!(long(51)), "Ensure this field has no more than 50 characters.".into()),
        ("status", json!("hot"), "\"hot\" is not a valid choice.".into()),
        ("status", json!(""), "\"\" is not a valid choice.".into()),
        ("status", json!(null), "This field may not be null.".into()),
        ("quality", json!(7), "\"7\" is not a valid choice.".into()),
        ("call_status", json!("Pending"), "\"Pending\" is not a valid choice.".into()),
        ("duration", json!("NaN"), "A valid number is required.".into()),
        ("duration", json!("Infinity"), "A valid number is required.".into()),
        ("duration", json!([1]), "A valid number is required.".into()),
        ("duration", json!(null), "This field may not be null.".into()),
        ("is_test", json!("maybe"), "Must be a valid boolean.".into()),
        ("checked", json!(null), "This field may not be null.".into()),
        ("other_attributes", json!(null), "This field may not be null.".into()),
        ("other_attributes", json!({ "a": "\0" }), "Null characters are not allowed.".into()),
        ("employee_id", json!("7"), "Must be a valid UUID.".into()),
        ("employee_id", json!(7), "Must be a valid UUID.".into()),
        ("employee_id", json!(tenants.two.employees[0]), no_such(tenants.two.employees[0])),
        ("employee_id", json!(Uuid::nil()), no_such(Uuid::nil())),
        ("label_ids", json!(null), "This field may not be null.".into()),
        ("label_ids", json!({}), "Expected a list of items but got type \"dict\".".into()),
        ("label_ids", json!("x"), "Expected a list of items but got type \"str\".".into()),
        ("label_ids", json!(["x"]), "Must be a valid UUID.".into()),
        ("label_ids", json!([tenants.two.labels[0]]), no_such(tenants.two.labels[0])),
    ];
    let id = tenants.one.customers[0];
    for (field, value, told) in table {
        let mut body = json!({ "name": "n", "phone": "1" });
        body[field] = value.clone();
        let told = json!({ field: [told] });
        tenants.post("customers/", &body).await.is(400, &told);
        tenants.patch(&format!("customers/{id}/"), &json!({ field: value })).await.is(400, &told);
        tenants.post("customers/bulk/", &json!([body])).await.is(400, &json!([told]));
        let bulk = json!({ "ids": [id], "set": { field: value } });
        tenants.patch("customers/bulk/", &bulk).await.is(400, &json!({ "set": told }));
    }
    // Lengths are of characters, and the longest pass.
    let longest = json!({ "name": long(255), "phone": long(20), "carrier": long(50) });
    assert_eq!(tenants.patch(&format!("customers/{id}/"), &longest).await.status, 200);
    assert_eq!(tenants.rows("customer").await.len(), before.len());
}

fn no_such(id: Uuid) -> String {
    format!("Invalid pk \"{id}\" - object does not exist.")
}

#[tokio::test]
async fn json_that_the_database_can_not_hold_is_refused_and_not_an_error() {
    let mut tenants = Tenants::new().await;
    let before = tenants.rows("customer").await;
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    for (value, told) in [
        (r#"{"\u0000": 1}"#, "Null characters are not allowed."),
        (r#""\ud800""#, "Surrogate characters are not allowed: U+D800."),
        ("1e999999", "Value must be valid JSON. The number 1e999999 is out of range."),
        ("-1e-99999", "Value must be valid JSON. The number -1e-99999 is out of range."),
        (deep.as_str(), "Ensure this value is nested no deeper than 100 levels."),
    ] {
        let body = format!(r#"{{"name": "n", "phone": "1", "other_attributes": {value}}}"#);
        post_raw(&tenants, "customers/", body).await.is(400, &json!({ "other_attributes": [told] }));
    }
    for (field, value, told) in [
        ("name", r#""\udc00""#, "Surrogate characters are not allowed: U+DC00."),
        ("status", r#""\ud800""#, "Surrogate characters are not allowed: U+D800."),
        ("duration", "1e999", "A valid number is required."),
        ("employee_id", r#""\ud800""#, "Must be a valid UUID."),
    ] {
        let body = format!(r#"{{"name": "n", "phone": "1", "{field}": {value}}}"#);
        post_raw(&tenants, "customers/", body).await.is(400, &json!({ field: [told] }));
    }
    // What nobody asks for may be anything.
    let body = format!(r#"{{"name": "n", "phone": "1", "tags": {deep}, "x": 1e999999}}"#);
    assert_eq!(post_raw(&tenants, "customers/", body).await.status, 201);
    assert_eq!(tenants.rows("customer").await.len(), before.len() + 1);
}

#[tokio::test]
async fn each_field_of_a_call_says_what_is_wrong_with_it() {
    let mut tenants = Tenants::new().await;
    for (field, value, told) in [
        ("customer_id", json!(null), "This field may not be null."),
        ("customer_id", json!("x"), "Must be a valid UUID."),
        ("campaign_customer_id", json!(1), "Must be a valid UUID."),
        ("direction", json!("sideways"), "\"sideways\" is not a valid choice."),
        ("status", json!("active"), "\"active\" is not a valid choice."),
        ("call_type", json!(null), "This field may not be null."),
        ("duration", json!(-0.5), "Ensure this value is greater than or equal to 0.0."),
        ("duration", json!(3e9), "Ensure this value is less than or equal to 2147483647.0."),
        ("duration_seconds", json!(1.5), "A valid integer is required."),
        ("duration_seconds", json!("x"), "A valid integer is required."),
        ("duration_seconds", json!(-1), "Ensure this value is greater than or equal to 0."),
        (
            "duration_seconds",
            json!(2_147_483_648_u64),
            "Ensure this value is less than or equal to 2147483647.",
        ),
        ("recording_url", json!("javascript:alert(1)"), "Enter a valid URL."),
        (
            "recording_url",
            json!(format!("https://example.com/{}", "a".repeat(200))),
            "Ensure this field has no more than 200 characters.",
        ),
        ("transcript", json!("a\0b"), "Null characters are not allowed."),
        ("sentiment_score", json!("good"), "A valid number is required."),
        ("sentiment_score", json!(-1.01), "Ensure this value is greater than or equal to -1.0."),
        ("billing_rate", json!("NaN"), "A valid number is required."),
        ("billing_rate", json!(0.00001), "Ensure that there are no more than 4 decimal places."),
        (
            "billing_rate",
            json!(1_000_000),
            "Ensure that there are no more than 6 digits before the decimal point.",
        ),
        ("billing_rate", json!("12345678901"), "Ensure that there are no more than 10 digits in total."),
        ("billing_rate", json!(-0.0001), "Ensure this value is greater than or equal to 0."),
    ] {
        let mut body = json!({
            "customer_id": tenants.one.customers[0], "direction": "inbound", "status": "busy", "call_type": "direct",
        });
        body[field] = value;
        let told = json!({ field: [told] });
        tenants.post("calls/", &body).await.is(400, &told);
        tenants.post("calls/bulk/", &json!([body])).await.is(400, &json!([told]));
    }
    tenants.post("calls/", &json!({})).await.is(
        400,
        &json!({
            "customer_id": ["This field is required."],
            "direction": ["This field is required."],
            "status": ["This field is required."],
            "call_type": ["This field is required."],
        }),
    );
    assert_eq!(tenants.rows("call").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_says_which_shape_it_should_have() {
    let tenants = Tenants::new().await;
    let whole = |told: &str| json!({ "non_field_errors": [told] });
    for (body, python_type) in
        [("[]", "list"), ("1", "int"), ("1.5", "float"), ("\"x\"", "str"), ("null", "NoneType")]
    {
        let told = whole(&format!("Invalid data. Expected a dictionary, but got {python_type}."));
        for path in ["customers/", "customers/bulk-delete/", "calls/"] {
            post_raw(&tenants, path, body).await.is(400, &told);
        }
        if body != "[]" {
            let told = whole(&format!("Expected a list of items but got type \"{python_type}\"."));
            for path in ["customers/bulk/", "calls/bulk/"] {
                post_raw(&tenants, path, body).await.is(400, &told);
            }
        }
    }
    for path in ["customers/bulk/", "calls/bulk/"] {
        post_raw(&tenants, path, "[]").await.is(400, &whole("This list may not be empty."));
        post_raw(&tenants, path, "").await.is(400, &whole("Expected a list of items but got type \"dict\"."));
    }
    let required = json!({ "name": ["This field is required."], "phone": ["This field is required."] });
    post_raw(&tenants, "customers/", "").await.is(400, &required);
    post_raw(&tenants, "customers/", "{}").await.is(400, &required);

    let required = json!({ "ids": ["This field is required."], "set": ["This field is required."] });
    tenants.patch("customers/bulk/", &json!({})).await.is(400, &required);
    for (ids, told) in [
        (json!(null), json!(["This field may not be null."])),
        (json!([]), json!(["This list may not be empty."])),
        (json!("x"), json!(["Expected a list of items but got type \"str\"."])),
        (
            json!([Uuid::nil(), "x", 1]),
            json!({ "1": ["Must be a valid UUID."], "2": ["Must be a valid UUID."] }),
        ),
    ] {
        tenants.post("customers/bulk-delete/", &json!({ "ids": ids })).await.is(400, &json!({ "ids": told }));
        let body = json!({ "ids": ids, "set": [] });
        let set = whole("Invalid data. Expected a dictionary, but got list.");
        tenants.patch("customers/bulk/", &body).await.is(400, &json!({ "ids": told, "set": set }));
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_a_parse_error() {
    let tenants = Tenants::new().await;
    let bodies: [&[u8]; 8] = [
        b"{",
        b"{\"name\": NaN}",
        b"[1,]",
        b"{} x",
        b"{\"a\":\"\xFF\"}",
        b"\xEF\xBB\xBF{}",
        b"{'a': 1}",
        b"\0",
    ];
    for body in bodies {
        for path in ["customers/", "customers/bulk/", "customers/bulk-delete/", "calls/", "calls/bulk/"] {
            let answer = post_raw(&tenants, path, body).await;
            assert_eq!(answer.status, 400);
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with("JSON parse error - "), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_write_with_everything_wrong_is_refused_in_the_order_of_the_contract() {
    let mut tenants = Tenants::new().await;
    let before = tenants.rows("customer").await;
    let detail = format!("customers/{}/", tenants.one.customers[0]);
    for (method, path) in [
        (Method::POST, "customers/"),
        (Method::POST, "customers/bulk/"),
        (Method::PATCH, "customers/bulk/"),
        (Method::POST, "customers/bulk-delete/"),
        (Method::POST, "calls/"),
        (Method::POST, "calls/bulk/"),
        (Method::PATCH, detail.as_str()),
    ] {
        let send = async |query: &str, token: Option<&str>, headers: &[(&str, &str)], body: Vec<u8>| {
            let url = format!("{}/api/v1/{path}{query}", tenants.origin);
            tenants.service.send_body(method.clone(), &url, token, headers, body).await
        };
        let vast = vec![b'x'; 10 * 1024 * 1024 + 1];
        let text = [("content-type", "text/plain")];
        let (admin, one) = (Some(tenants.admin.as_str()), "?workspace_id=one");
        send("", None, &text, vast.clone())
            .await
            .refuses(401, "Authentication credentials were not provided.");
        send("", admin, &text, vast.clone())
            .await
            .is(400, &json!({ "workspace_id": ["This field is required."] }));
        send("?workspace_id=two", admin, &text, vast.clone())
            .await
            .refuses(403, "You do not have permission to perform this action.");
        send(one, admin, &text, vast).await.refuses(413, "The request body is larger than 10 MB.");
        let wrong_type = send(one, admin, &text, b"{".to_vec()).await;
        wrong_type.refuses(415, "Unsupported media type \"text/plain\" in request.");
        send(one, admin, &[], b"{".to_vec()).await.refuses(415, "Unsupported media type \"\" in request.");
        let json = [("content-type", "application/json; charset=utf-8")];
        let unreadable = send(one, admin, &json, b"{".to_vec()).await;
        assert_eq!(unreadable.status, 400);
        assert!(unreadable.text.contains("JSON parse error"), "{}", unreadable.text);
    }
    assert_eq!(tenants.rows("customer").await, before);
}

#[tokio::test]
async fn no_value_of_any_field_is_an_error_of_the_server() {
    let tenants = Tenants::new().await;
    let customer = tenants.one.customers[0];
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    let long = format!("\"{}\"", "x".repeat(100_000));
    let values = [
        "null",
        "true",
        "0",
        "-0",
        "1e400",
        "-1e-400",
        "1e99999999999999999999",
        "2147483648",
        "-9223372036854775809",
        "0.00001",
        "99999999999999999999999999.5",
        "[]",
        "[null]",
        "[[]]",
        "{}",
        "{\"a\": null}",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udfff\\ud800\"",
        "\"\\uffff\"",
        "\"'; DROP TABLE customer; --\"",
        "\"{}\"",
        "\"NaN\"",
        "\"1e400\"",
        "\"00000000-0000-0000-0000-000000000000\"",
        "[\"00000000-0000-0000-0000-000000000000\"]",
        "\"\u{feff}\u{202e}\"",
        deep.as_str(),
        long.as_str(),
    ];
    let customer_fields = [
        "name",
        "email",
        "phone",
        "carrier",
        "status",
        "quality",
        "call_status",
        "duration",
        "is_test",
        "checked",
        "other_attributes",
        "employee_id",
        "label_ids",
    ];
    let call_fields = [
        "customer_id",
        "campaign_customer_id",
        "direction",
        "status",
        "duration",
        "duration_seconds",
        "recording_url",
        "transcript",
        "sentiment_score",
        "call_type",
        "billing_rate",
    ];
    for value in values {
        // The field that counts is the last of its name.
        let customers =
            customer_fields.map(|field| format!(r#"{{"name": "n", "phone": "1", "{field}": {value}}}"#));
        let calls = call_fields.map(|field| {
            format!(
                r#"{{"customer_id": "{customer}", "direction": "inbound", "status": "busy", "call_type": "direct",
                    "duration": 0, "{field}": {value}}}"#
            )
        });
        let mut bodies: Vec<(&str, String)> = Vec::new();
        bodies.extend(customers.into_iter().map(|body| ("customers/", body)));
        bodies.extend(calls.into_iter().map(|body| ("calls/", body)));
        for path in ["customers/", "customers/bulk/", "customers/bulk-delete/", "calls/", "calls/bulk/"] {
            bodies.push((path, value.to_owned()));
            bodies.push((path, format!("[{value}]")));
            bodies.push((path, format!(r#"{{"ids": {value}}}"#)));
        }
        for (path, body) in bodies {
            let answer = post_raw(&tenants, path, body.clone()).await;
            let status = answer.status.as_u16();
            assert!([200, 201, 400].contains(&status), "{status} {path} {body:.300}: {:.300}", answer.text);
        }
        let body = format!(r#"{{"ids": ["{customer}"], "set": {value}}}"#);
        let answer =
            tenants.service.write(Method::PATCH, &tenants.url("customers/bulk/"), &tenants.admin, body).await;
        assert!([200, 400].contains(&answer.status.as_u16()), "{value:.300}: {:.300}", answer.text);
    }
    // All that was written can be read.
    let list = format!("{}&page_size=200", tenants.url("customers/"));
    assert_eq!(tenants.service.get(&list, &tenants.admin).await.status, 200);
}
