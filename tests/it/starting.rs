//! Starting: what goes wrong is said in a sentence, and the private PostgreSQL is one's own.

use crate::support::{
    eventually,
    people::Person,
    process::{Process, data_folder, parlor, run},
};
use std::{net::TcpListener, time::Duration};

fn fails(args: &[&str], vars: &[(&str, &str)], words: &[&str]) {
    let data = data_folder();
    let mut command = parlor(&data);
    command.args(args).envs(vars.iter().copied()).env("RUST_LOG", "warn");
    let output = run(command, "");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?} {vars:?} succeeded");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing for {vars:?} in:\n{said}");
    }
    assert!(!said.contains("geheim"), "a secret is shown:\n{said}");
    assert!(said.lines().last().unwrap().starts_with("parlor: "), "{said}");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_a_sentence() {
    let database = crate::support::database::Database::make().await;
    let url = database.url.clone();
    fails(&["serve"], &[("PARLOR__SERVER__PROT", "1")], &["prot", "PARLOR__SERVER__PROT", "`port`"]);
    fails(&["serve"], &[("PORT", "many")], &["PORT", "must be a number"]);
    fails(&["serve"], &[("PARLOR_CONFIG", "/nonexistent.toml")], &["/nonexistent.toml does not exist"]);
    fails(&["serve"], &[("PARLOR_PG_BIN", "/nonexistent")], &["PARLOR_PG_BIN", "initdb"]);
    fails(&["serve"], &[("DATABASE_URL", "mysql://u:geheim@h/d")], &["DATABASE_URL must look like postgres://"]);
    fails(
        &["serve"],
        &[("DATABASE_URL", "postgres://u:geheim@127.0.0.1:9/d")],
        &["127.0.0.1:9 cannot be reached", "DATABASE_URL"],
    );
    let name = url.rsplit_once('/').map(|(_, rest)| rest).unwrap();
    let name = if url.contains("host=/") {
        crate::support::people::between(&url, "localhost/", "?").unwrap()
    } else {
        name.to_owned()
    };
    let missing = url.replace(&name, "no_such_database");
    fails(&["serve"], &[("DATABASE_URL", &missing)], &["no database `no_such_database`", "createdb"]);
    fails(&["serve"], &[("DATABASE_URL", &url), ("PARLOR_SECRET", "geheim")], &["PARLOR_SECRET", "at least 32"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fails(&["serve"], &[("DATABASE_URL", &url), ("PORT", &port)], &[&port, "is taken by another program", "PORT"]);
}

#[tokio::test]
async fn a_wrong_password_of_the_database_is_said() {
    // a server that asks for a password, played: it greets, then refuses as PostgreSQL does
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut buffer = [0; 1024];
            let n = stream.read(&mut buffer).unwrap_or(0);
            if n == 8 {
                let _ = stream.write_all(b"N"); // no TLS here
                let _ = stream.read(&mut buffer);
            }
            let body = b"SFATAL\0C28P01\0Mpassword authentication failed for user \"u\"\0\0";
            let mut message = vec![b'E'];
            message.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
            message.extend(body);
            let _ = stream.write_all(&message);
        }
    });
    let url = format!("postgres://u:geheim@127.0.0.1:{port}/d");
    tokio::task::spawn_blocking(move || {
        fails(&["serve"], &[("DATABASE_URL", &url)], &["wrong password", "DATABASE_URL"]);
    })
    .await
    .unwrap();
}

#[test]
fn config_prints_what_is_in_force_without_secrets() {
    let data = data_folder();
    let mut command = parlor(&data);
    command.arg("config").envs([
        ("PORT", "8080"),
        ("OPENAI_API_KEY", "sk-geheim"),
        ("ADMIN_EMAIL", "a@b.org"),
        ("ADMIN_PASSWORD", "geheim geheim"),
    ]);
    let output = run(command, "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("port = 8080") && said.contains("(hidden)"), "{said}");
    assert!(!said.contains("geheim"));
}

/// The whole life of a house of one process with a PostgreSQL of its own.
#[tokio::test]
async fn the_private_postgresql() {
    let data = data_folder();
    let serve = || {
        let mut command = parlor(&data);
        command.arg("serve").envs([("PORT", "0"), ("RUST_LOG", "info")]);
        command
    };
    let mut first = Process::spawn(serve());
    let address = first.address().await;
    first.says("/setup?token=").await;
    first.says("demo model").await;
    let ann = Person::new(&address);
    ann.registers("ann").await;
    assert!(ann.opens("/ready").await.status.is_success());
    // a second one says why it cannot
    let output = tokio::task::spawn_blocking({
        let second = serve();
        move || run(second, "")
    })
    .await
    .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("already running"), "{said}");
    // other commands use the running one's PostgreSQL
    let mut command = parlor(&data);
    command.args(["user", "new", "eve@example.org", "--admin"]);
    let output = run(command, "a sentence for eve\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = parlor(&data);
    command.arg("doctor");
    let output = run(command, "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("all is well"), "{said}");
    let eve = Person::new(&address);
    assert_eq!(eve.signs_in("eve", "a sentence for eve").await.location.as_deref(), Some("/"));
    // the demo model answers, and says what it is
    let key = ann.opens("/").await.field("key").unwrap();
    let page = ann.posts("/chats", &[("content", "hi"), ("model", "demo/demo"), ("key", &key)]).await;
    ann.sees(&page.location.unwrap(), "It is no language model").await;
    // it stops in order, with its PostgreSQL
    first.signal("TERM");
    let (took, code) = first.ends().await;
    assert!(took < Duration::from_secs(10) && code == Some(0), "{took:?} {code:?}\n{}", first.log());
    assert!(!data.path().join("data/postgres/postmaster.pid").exists(), "PostgreSQL still runs");
    // and even after a kill everything is there again
    let mut second = Process::spawn(serve());
    let address = second.address().await;
    second.kill();
    let third = Process::spawn(serve());
    let again = third.address().await;
    assert!(again.starts_with("http://") && address.starts_with("http://"));
    let eve = Person::new(&again);
    assert_eq!(eve.signs_in("eve", "a sentence for eve").await.location.as_deref(), Some("/"));
}

/// Asked to stop while its PostgreSQL is being made, or starts: it ends in order, and the next start is like any other.
/// Killed then: what is half made is made anew.
#[tokio::test]
async fn a_stop_in_the_first_second_is_orderly() {
    for (moment, signal) in
        [("postgres.new/PG_VERSION", "TERM"), ("postgres/postmaster.pid", "TERM"), ("postgres.new/base", "KILL")]
    {
        let data = data_folder();
        let serve = || {
            let mut command = parlor(&data);
            command.arg("serve").envs([("PORT", "0"), ("RUST_LOG", "info")]);
            command
        };
        let mut first = Process::spawn(serve());
        let (folder, file) = moment.split_once('/').unwrap();
        eventually(moment, || async {
            let mut found = std::fs::read_dir(data.path().join("data")).into_iter().flatten().flatten();
            found.any(|f| f.file_name().to_string_lossy().starts_with(folder) && f.path().join(file).exists())
        })
        .await;
        first.signal(signal);
        let (took, code) = first.ends().await;
        if signal == "TERM" {
            assert!(took < Duration::from_secs(10) && code == Some(0), "{moment}: {took:?} {code:?}\n{}", first.log());
            assert!(!data.path().join("data/postgres/postmaster.pid").exists(), "{moment}: PostgreSQL still runs");
        }
        let second = Process::spawn(serve());
        let ann = Person::new(&second.address().await);
        ann.registers("ann").await;
    }
}

#[tokio::test]
async fn another_secret_is_refused() {
    let database = crate::support::database::Database::make().await;
    let start = |secret: &str| {
        let data = data_folder();
        let mut command = parlor(&data);
        command.args(["user", "list"]).env("DATABASE_URL", &database.url).env("PARLOR_SECRET", secret);
        run(command, "")
    };
    assert!(start("the first secret, which is long enough").status.success());
    let output = start("another secret, which is long enough!");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("not the one this database was set up with"), "{said}");
}

#[tokio::test]
async fn many_processes_may_migrate_at_once() {
    let database = crate::support::database::Database::make().await;
    let data = data_folder();
    let all = (0..4).map(|_| {
        let mut command = parlor(&data);
        command.arg("migrate").env("DATABASE_URL", &database.url);
        tokio::task::spawn_blocking(move || run(command, ""))
    });
    for output in futures::future::join_all(all).await {
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
