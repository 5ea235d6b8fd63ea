//! How many bytes a page request allocates in all, counted by the allocator of the program, per thread.
//!
//! The server has a runtime of one thread, so that everything it does for a request is done and counted there: the reading
//! of the connection and the writing to it, and whatever is spawned. A request's own profile counts less: not its
//! connection. The client has a thread of its own, which counts for nobody.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use allocations::Counts;
use migrations::Level;
use server::{Config, Server, Variant};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// What a request may allocate, in bytes, whether it is freed again or not.
const BOUND: u64 = 1_000_000;

/// Requests before the count, which fill pools and caches of statements, and in the count.
const WARM: u32 = 10;
const COUNTED: u32 = 50;

/// A full page of customers with attributes of some 400 bytes, labels, an employee, calls and a campaign.
const ROWS: &str = "
    INSERT INTO workspace (id, slug, name) VALUES (md5('w')::uuid, 'w', 'w');
    INSERT INTO app_user (id, email, name, role, is_active) VALUES (md5('u')::uuid, 'u', 'u', 'admin', true);
    INSERT INTO user_workspace VALUES (md5('u')::uuid, md5('w')::uuid);
    INSERT INTO auth_token (token_sha256, user_id) VALUES (sha256('token'), md5('u')::uuid);
    INSERT INTO employee (id, workspace_id, name, email) VALUES (md5('e')::uuid, md5('w')::uuid, 'Nguyen Van A', 'a@b.vn');
    INSERT INTO label (id, workspace_id, name)
    SELECT md5('l' || g)::uuid, md5('w')::uuid, 'label ' || g FROM generate_series(1, 5) g;
    INSERT INTO call_campaign (id, workspace_id, name, status) VALUES (md5('g')::uuid, md5('w')::uuid, 'g', 'active');
    INSERT INTO customer (workspace_id, name, email, phone, carrier, status, quality, call_status, employee_id,
                          other_attributes)
    SELECT md5('w')::uuid, 'Tran Thi B ' || g, 'b@example.com', '0901234567', 'Viettel', 'active', 'hot', 'pending',
           md5('e')::uuid, (SELECT jsonb_object_agg('key_' || k, repeat('v', 25)) FROM generate_series(1, 10) k)
      FROM generate_series(1, 60) g;
    INSERT INTO customer_label SELECT c.id, l.id FROM customer c, label l;
    INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status)
    SELECT workspace_id, md5('g')::uuid, id, 'pending' FROM customer;
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate)
    SELECT workspace_id, id, 'outbound', 'completed', 61.5, 61, 'campaign', 0.5 FROM customer, generate_series(1, 20);
    ANALYZE;";

/// Sends a request and reads the answer into `buffer`; gives the bytes of the answer.
fn ask(stream: &mut TcpStream, buffer: &mut [u8]) -> usize {
    stream
        .write_all(b"GET /api/v1/customers/?workspace_id=w HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer token\r\n\r\n")
        .unwrap();
    let mut filled = 0;
    loop {
        filled += stream.read(&mut buffer[filled..]).unwrap();
        let Some(head) = buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).unwrap();
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if filled == head + 4 + length.parse::<usize>().unwrap() {
            return filled;
        }
    }
}

#[test]
fn a_page_request_allocates_less_than_a_megabyte() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (address, database) = runtime.block_on(async {
        let database = cluster::testing::database("server_allocations").await;
        let mut db = PgConnection::connect(database.url()).await.unwrap();
        migrations::migrate(&mut db, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
        db.execute(sqlx::raw_sql(ROWS)).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Config::new(database.url(), Variant::Rollup);
        let server = Server::open(config, listener).await.unwrap();
        tokio::spawn(server.serve(std::future::pending()));
        (address, database)
    });
    let mut stream = TcpStream::connect(address).unwrap();
    let mut buffer = vec![0; 1 << 20];
    // The server works on this thread while the client works on another one.
    let mut asked = |requests: u32| {
        let mut client = || (0..requests).map(|_| ask(&mut stream, &mut buffer)).max().unwrap();
        std::thread::scope(|threads| {
            let (said, heard) = tokio::sync::oneshot::channel();
            threads.spawn(move || said.send(client()).unwrap());
            allocations::counted(|| runtime.block_on(heard).unwrap())
        })
    };
    asked(WARM);
    let (answered, Counts { bytes, calls, .. }) = asked(COUNTED);
    let (bytes, calls) = (bytes / u64::from(COUNTED), calls / u64::from(COUNTED));
    println!("{bytes} bytes in {calls} allocations for an answer of {answered} bytes");
    assert!(answered > 50_000, "a full page has {answered} bytes");
    // Whoever counts on the wrong thread counts next to nothing.
    assert!(bytes > answered as u64, "{bytes} bytes for an answer of {answered}");
    assert!(bytes < BOUND, "{bytes} bytes in {calls} allocations");
    drop(runtime);
    drop(database);
}
