//! A pooler between Parlor and PostgreSQL: in session mode all is well, in any other Parlor says so and ends.
//! The pooler is a real pgbouncer (`bin/install --tests` brings it).

use crate::support::{
    eventually,
    people::Person,
    process::{House, as_postgres, data_folder, parlor, run},
    provider::Step,
};
use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
};
use tempfile::TempDir;

/// A pgbouncer of this test's own.
struct Pooler {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// In front of the test's PostgreSQL; `pool_mode` is the only thing it is told beyond what it must be.
    async fn start(house: &House, mode: &str) -> Self {
        let folder = data_folder();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            "[databases]\n{} = user=parlor {}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\ndefault_pool_size = 60\n",
            house.database.name,
            house.database.conninfo(),
        );
        let path = folder.path().join("pgbouncer.ini");
        std::fs::write(&path, settings).unwrap();
        let mut command = as_postgres("pgbouncer");
        command.arg("-q").arg(&path).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("pgbouncer is needed: run bin/install --tests");
        let pooler = Self { child, port, _folder: folder };
        eventually("pgbouncer listens", || async { TcpStream::connect(("127.0.0.1", port)).is_ok() }).await;
        pooler
    }

    fn url(&self, house: &House) -> String {
        format!("postgres://parlor@127.0.0.1:{}/{}", self.port, house.database.name)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_pooler_in_session_mode_is_fine() {
    let house = House::make().await;
    let pooler = Pooler::start(&house, "session").await;
    let house = house.over(&pooler.url(&house));
    let (web, worker) = (house.web(), house.worker());
    let ann = Person::new(&web.address().await);
    ann.registers("ann").await;
    worker.says("working").await;
    eventually("the catalog has models", || async { ann.opens("/").await.html.contains("openai/fake-1") }).await;
    house.provider.does([Step::Text("Through ".into()), Step::Hold]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Through").await;
    let answer = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    tab.sees("data-state=\"stopped\"").await;
    eventually("the worker hung up", || async { house.provider.hung_up() == 1 }).await;
}

#[tokio::test]
async fn a_pooler_in_any_other_mode_is_refused_in_a_sentence() {
    let house = House::make().await;
    for mode in ["transaction", "statement"] {
        let pooler = Pooler::start(&house, mode).await;
        for args in [&["serve"][..], &["work"], &["migrate"], &["doctor"]] {
            let data = data_folder();
            let mut command = parlor(&data);
            command.args(args).env("DATABASE_URL", pooler.url(&house)).env("PORT", "0").env("RUST_LOG", "warn");
            let output = tokio::task::spawn_blocking(move || run(command, "")).await.unwrap();
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(!output.status.success(), "{mode} {args:?} went on:\n{said}");
            assert!(said.contains("a pooler in transaction mode") && said.contains("pool_mode = session"), "{said}");
        }
    }
    let tables: Vec<String> =
        house.database.column("select tablename::text from pg_tables where schemaname = 'public'").await;
    assert!(tables.is_empty(), "nothing was migrated through it: {tables:?}");
}
