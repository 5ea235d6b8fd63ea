//! Random rows of three tenants, with everything that goes wrong.

/// Rows with equal timestamps, deleted customers, references to other tenants' rows, null rates, ties between calls and
/// between enrolments. Call times lie on half hours before a common instant, so that none comes near the bound of a
/// window while the test runs.
pub(crate) const ROWS: &str = r#"
    SELECT setseed(0.4711);
    INSERT INTO employee (workspace_id, name, email)
    SELECT w.id, 'e' || g, 'e' || g || '@example.com' FROM workspace w, generate_series(1, 5) g;
    INSERT INTO label (workspace_id, name)
    SELECT w.id, (ARRAY['b', 'B', 'ä', 'a', 'ab', 'Ω', 'rare', 'unused'])[g]
      FROM workspace w, generate_series(1, 8) g;
    INSERT INTO call_campaign (workspace_id, name, status)
    SELECT w.id, 'g' || g, (ARRAY['draft', 'active', 'active', 'paused', 'completed'])[g]
      FROM workspace w, generate_series(1, 5) g;
    INSERT INTO customer (workspace_id, name, email, phone, carrier, status, quality, call_status, duration, is_test,
                          checked, other_attributes, is_deleted, created_at)
    SELECT w.id, 'c' || g, CASE WHEN random() < 0.5 THEN 'c@example.com' END, '09' || g,
           (ARRAY[NULL, NULL, 'viettel', 'viettel', 'mobifone', 'Saigon Postel', 'a,b', '', 'Ω'])[1 + floor(random() * 9)],
           (ARRAY['active', 'active', 'inactive', 'blocked', 'pending', '', 'đang gọi'])[1 + floor(random() * 7)],
           (ARRAY['hot', 'warm', 'cold', 'dead', ''])[1 + floor(random() * 5)],
           (ARRAY['pending', 'calling', 'completed', 'failed', ''])[1 + floor(random() * 5)],
           CASE WHEN random() < 0.2 THEN random() * 1000
                ELSE (ARRAY[0, 0.1, 1, 30, 30.5, 180.5, 1000, 1e300, -5])[1 + floor(random() * 9)] END,
           random() < 0.5, random() < 0.2, a.json::jsonb,
           random() < 0.1, timestamptz '2024-01-01 00:00:00.123456Z' + floor(random() * 20) * interval '1 minute'
      FROM workspace w, generate_series(1, 90) g
      JOIN unnest(ARRAY[
           '{"age": 30}', '{"age": "30"}', '{"age": 30.0}', '{"age": 3e1}', '{"age": "3e1"}', '{"age": 30, "vip": true}',
           '{"age": [30]}', '{"age": {"age": 30}}', '{" age": " 30"}', '{"age": null}', '{"age": "null"}', '{"age": ""}',
           '{"price": 1.10}', '{"price": 1.1}', '{"price": "1.1"}', '{"price": 1e-7}', '{"price": -0}', '{"price": 1e30}',
           '{"big": 12345678901234567890}', '{"big": 12345678901234567891}', '{"big": "12345678901234567890"}',
           '{"vip": true}', '{"vip": "true"}', '{"vip": false}', '{"vip": null}', '{"vip": 1}', '{"vip": "True"}',
           '{"city": "Hà Nội"}', '{"city": ["Hà Nội"]}', '{"city": {"Hà Nội": true}}', '{"ключ": "значение"}',
           '{"a=b": "c=d"}', '{"a": "b=c=d"}', '{"": "empty"}', '{"q\"\\": "\"\\q"}', '{"nl": "a\nb"}', '{"u": "\\u0041"}',
           '{}', '[]', '["age"]', '"age"', '30', 'null']) WITH ORDINALITY AS a (json, position) ON a.position = 1 + g % 43;
    -- A value that only the oldest customers have, and one that a single customer has.
    UPDATE customer SET status = 'archived', quality = 'hot', created_at = created_at - interval '1 year'
     WHERE substr(name, 2)::int <= 4;
    UPDATE customer SET call_status = 'rare', is_deleted = false WHERE name = 'c60';
    -- One in ten references points to a row of any tenant, which must not be shown.
    UPDATE customer c SET employee_id =
           (SELECT e.id FROM employee e WHERE c.id IS NOT NULL AND (e.workspace_id = c.workspace_id OR random() < 0.1)
             ORDER BY random() LIMIT 1)
     WHERE random() < 0.7;
    INSERT INTO customer_label
    SELECT c.id, l.id FROM customer c, label l
     WHERE random() < CASE WHEN l.workspace_id = c.workspace_id THEN 0.3 ELSE 0.03 END;
    DELETE FROM customer_label cl USING label l, customer c
     WHERE l.id = cl.label_id AND c.id = cl.customer_id AND (l.name = 'unused' OR l.name = 'rare' AND c.name <> 'c1');
    INSERT INTO customer_label
    SELECT c.id, l.id FROM customer c JOIN label l USING (workspace_id) WHERE c.name = 'c1' AND l.name = 'rare'
        ON CONFLICT DO NOTHING;
    INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status, created_at)
    SELECT c.workspace_id, g.id, c.id, (ARRAY['pending', 'in_progress', 'completed', 'failed'])[1 + floor(random() * 4)],
           timestamptz '2024-02-01Z' + floor(random() * 3) * interval '1 day'
      FROM customer c, call_campaign g
     WHERE random() < CASE WHEN g.workspace_id = c.workspace_id THEN 0.3 ELSE 0.03 END;
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, sentiment_score,
                      call_type, billing_rate, created_at)
    SELECT c.workspace_id, c.id, (ARRAY['inbound', 'outbound'])[1 + floor(random() * 2)],
           (ARRAY['completed', 'missed', 'busy'])[1 + floor(random() * 3)], random() * 100, floor(random() * 5000),
           CASE WHEN random() < 0.8 THEN random() * 2 - 1 END,
           (ARRAY['campaign', 'direct', 'callback'])[1 + floor(random() * 3)],
           CASE WHEN random() < 0.8 THEN round((random() * random() * 20)::numeric, 4) END,
           now() - interval '30 minutes' - floor(random() * 1500) * interval '1 hour'
      FROM customer c, generate_series(1, 40)
     WHERE hashtext(c.name) % 5 <> 0 AND random() < 0.6;
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, created_at)
    SELECT workspace_id, customer_id, 'inbound', 'busy', 1, 1, 'direct', created_at FROM call WHERE random() < 0.3;
    ANALYZE;"#;
