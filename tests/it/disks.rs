//! F13: the disk that holds the database is full: errors are clear, nothing that was acknowledged is lost, and all is
//! well when there is space again. The disk is a small one in memory, which only root may make: run by anybody else
//! this story says that it was left out.

use crate::support::{
    eventually,
    people::Person,
    process::{House, data_folder},
    provider::Step,
    server::Server,
};
use reqwest::StatusCode;
use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A disk of a few megabytes.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    fn make(megabytes: usize) -> Option<Self> {
        let folder = data_folder();
        let size = format!("size={megabytes}m");
        let made =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder.path()).output().unwrap();
        if !made.status.success() {
            return None;
        }
        Some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.filler()).unwrap();
        for size in [1 << 20, 4096, 1] {
            let bytes = vec![0; size];
            while file.write_all(&bytes).is_ok() {}
        }
    }

    fn has_space_again(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

#[tokio::test]
async fn f13_the_disk_of_the_database_is_full() {
    let Some(disk) = SmallDisk::make(96) else {
        eprintln!("LEFT OUT: only root may make the small disk that this story fills");
        return;
    };
    let mut server =
        Server::in_folder(disk.path(), &["min_wal_size=2MB", "max_wal_size=6MB", "shared_buffers=16MB"]).await;
    let house = House::on(&server.url()).await;
    let house = house.with("PARLOR__DATABASE__ACQUIRE_TIMEOUT", "1");
    let (web, worker) = (house.web(), house.worker());
    let ann = Person::new(&web.address().await);
    ann.registers("ann").await;
    eventually("the catalog has models", || async { ann.opens("/").await.html.contains("openai/fake-1") }).await;
    // an answer that is being made, with more to come than there will be space for
    let long = "many words ".repeat(60_000);
    let steps = [Step::Text("Before. ".into()), Step::Hold, Step::Text(long.clone()), Step::Finish("stop"), Step::Done];
    house.provider.does(steps);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Before.").await;
    disk.fill();
    house.provider.release();
    // until it is refused; what was taken until then is taken
    let mut taken = vec![];
    let began = Instant::now();
    let refused = loop {
        assert!(began.elapsed() < Duration::from_secs(30), "the disk is never full");
        let words = format!("message {} {}", taken.len(), "x".repeat(3900));
        let page = ann.posts("/chats", &[("content", &words), ("model", "openai/fake-1")]).await;
        match page.status {
            StatusCode::SEE_OTHER => taken.push(page.location.unwrap()),
            _ => break page,
        }
        disk.fill();
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.html);
    assert!(refused.html.contains("nothing is lost") && !refused.html.contains("No space"), "{}", refused.html);
    assert_eq!(ann.opens("/up").await.status, StatusCode::OK);
    worker.says("No space left on device").await;
    disk.has_space_again();
    // without space for its log PostgreSQL itself ends, and somebody has to start it again
    if !server.is_alive() {
        server.again().await;
    }
    eventually("a message is taken again", || async {
        let page = ann.posts("/chats", &[("content", "is it over?"), ("model", "openai/fake-1")]).await;
        page.status == StatusCode::SEE_OTHER
    })
    .await;
    for chat in &taken {
        ann.sees(chat, "data-state=\"completed\"").await;
    }
    ann.sees(&chat, "data-state=\"completed\"").await;
    let whole: bool = house
        .database
        .value(&format!(
            "select exists (select 1 from messages where text = 'Before. ' || repeat('many words ', {}))",
            60_000
        ))
        .await;
    assert!(whole, "every word of the answer is there");
    let there: i64 = house.database.value("select count(*) from messages where text like 'message %'").await;
    assert_eq!(usize::try_from(there).unwrap(), taken.len(), "what was refused is not there, what was taken is");
    house.database.check_feeds().await;
    drop((web, worker));
}
