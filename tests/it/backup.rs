//! Backup and restore, by the commands of the README: what was said, who may sign in, and what is sealed come back, whatever
//! happens after the dump.

use crate::support::{
    database::Database,
    eventually,
    images::png,
    people::{PASSWORD, Person, between},
    process::{House, Process, SECRET, run},
    server::Server,
};
use reqwest::StatusCode;
use std::process::Command;

fn done(mut command: Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_dump_brings_everything_back() {
    let mut first = Server::start().await;
    let house = House::on(&first.url()).await;
    house.provider.streams(["Kept"]);
    let mut process = Process::spawn(house.command(&["serve"]));
    let ann = Person::new(&process.address().await);
    ann.registers("ann").await;
    let chat = ann.asks("to be kept").await;
    ann.sees(&chat, "Kept").await;
    let image = ann.adds("kept.png", &png(3, 2)).await;
    ann.says_with(&chat, "and this", &[&image]).await;
    // something sealed: a letter with a link, which only the secret opens
    house.database.execute("update users set role = 'administrator'").await;
    ann.posts("/password/forgot", &[("email", "ann@example.org")]).await;
    eventually("the letter is in the outbox", || async {
        house.value::<i64>("select count(*) from mail where body is not null").await == 1
    })
    .await;
    let dump = house.data.path().join("parlor.dump");
    let mut command = Command::new("pg_dump");
    command.args(["-Fc", &first.url(), "-f"]).arg(&dump);
    done(command);
    let tar = |act: &str| {
        let mut command = Command::new("tar");
        command.arg("-C").arg(house.data.path().join("data")).args([act, "files.tar"]);
        command
    };
    let mut command = tar("-cf");
    command.arg("files").current_dir(house.data.path().join("data"));
    done(command);
    // after the dump, the machine is lost
    ann.asks("said too late").await;
    process.kill();
    first.stops_at_once();
    std::fs::remove_dir_all(house.data.path().join("data").join("files")).unwrap();
    let mut command = tar("-xf");
    command.current_dir(house.data.path().join("data"));
    done(command);
    let second = Server::start().await;
    let mut command = Command::new("pg_restore");
    command.args(["--no-owner", "--exit-on-error", "-d", &second.url()]).arg(&dump);
    done(command);
    let house = house.over(&second.url());
    let process = Process::spawn(house.command(&["serve"]));
    let address = process.address().await;
    // who was signed in still is; who was not signs in with the password of before
    let again = Person { address: address.clone(), ..ann.clone() };
    assert_eq!(again.opens("/").await.status, StatusCode::OK, "the session is good with the same secret");
    let other = Person::new(&address);
    assert_eq!(other.signs_in("ann", PASSWORD).await.status, StatusCode::SEE_OTHER);
    let page = other.opens(&chat).await;
    assert!(page.html.contains("to be kept") && page.html.contains("Kept"));
    assert!(!page.html.contains("said too late"));
    assert_eq!(other.opens(&format!("/files/{image}")).await.status, StatusCode::OK);
    let letter: String = Database::whole(&second.url()).value("select id::text from mail").await;
    let opened = other.opens(&format!("/admin/outbox/{letter}")).await;
    let token = between(&opened.html, "/password/reset?token=", "\n").expect("what was sealed is opened");
    let token = token.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let another = [("token", token), ("password", "another sentence to sign in")];
    assert_eq!(Person::new(&address).posts("/password/reset", &another).await.status, StatusCode::SEE_OTHER);
    let other = Person::new(&address);
    assert_eq!(other.signs_in("ann", "another sentence to sign in").await.status, StatusCode::SEE_OTHER);
    house.provider.streams(["Going on"]);
    assert_eq!(other.says(&chat, "and on").await.status, StatusCode::SEE_OTHER);
    other.sees(&chat, "Going on").await;
    // another secret would open nothing that is sealed: it is refused, and the sentence says which one is wanted
    let mut command = house.command(&["serve"]);
    command.env("PARLOR_SECRET", SECRET.replace("tests", "others"));
    let refused = run(command, "");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("is not the one this database was set up with"), "{said}");
    assert!(between(&said, "expected ", ")").is_some());
}
