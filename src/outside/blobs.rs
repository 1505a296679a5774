//! Bytes by name, in a folder that processes may share. What is written is there whole or not at all. What must not live
//! here: whose they are, and who may read them (domain/files).

use std::{
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{fs, task};

/// Names of folders in the folder, and how many there may be: by the last letters of a name, which are random.
const SHELF: usize = 2;
/// What is being written is called so behind its name.
const UNFINISHED: &str = ".part";

/// A folder of bytes. Names are made by us: letters, digits and points.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
}

impl Blobs {
    /// `owner` keeps apart what several installations have in one folder.
    #[must_use]
    pub fn new(folder: &Path, owner: &str) -> Self {
        Self { root: folder.join(owner) }
    }

    fn path(&self, name: &str) -> PathBuf {
        let stem = name.split('.').next().unwrap_or(name);
        let shelf = stem.get(stem.len().saturating_sub(SHELF)..).unwrap_or(stem);
        self.root.join(shelf).join(name)
    }

    /// Keeps bytes; when this returns, they are on the disk.
    ///
    /// # Errors
    /// The file system's; nothing of that name is there then.
    pub async fn put(&self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        let path = self.path(name);
        task::spawn_blocking(move || write(&path, &bytes)).await.map_err(io::Error::other)?
    }

    /// # Errors
    /// The file system's.
    pub async fn get(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(name)).await
    }

    /// Removes bytes; those that are not there are no fault.
    ///
    /// # Errors
    /// The file system's.
    pub async fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Names of what was written longer ago than that, one shelf at a time.
    ///
    /// # Errors
    /// The file system's.
    pub async fn older_than(&self, age: Duration, shelf: u8) -> io::Result<Vec<String>> {
        let folder = self.root.join(format!("{shelf:02x}"));
        task::spawn_blocking(move || old(&folder, age)).await.map_err(io::Error::other)?
    }

    /// Whether something can be kept there; makes the folder.
    ///
    /// # Errors
    /// The file system's.
    pub async fn check(&self) -> io::Result<()> {
        let path = self.root.join("check");
        task::spawn_blocking(move || write(&path, &[])).await.map_err(io::Error::other)??;
        fs::remove_file(self.root.join("check")).await
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let shelf = path.parent().ok_or(ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(shelf)?;
    let unfinished = PathBuf::from(format!("{}{UNFINISHED}", path.display()));
    let written = (|| {
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        // the name itself
        std::fs::File::open(shelf)?.sync_all()
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
        let _ = std::fs::remove_file(path);
    }
    written
}

fn old(folder: &Path, age: Duration) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        let written = entry.metadata().and_then(|data| data.modified());
        let is_old = written.is_ok_and(|at| at.elapsed().is_ok_and(|since| since >= age));
        if is_old && let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(folder.path(), "ours");
        blobs.check().await.unwrap();
        blobs.put("0a1b", b"bytes".to_vec()).await.unwrap();
        blobs.put("0a1b.view", b"fewer".to_vec()).await.unwrap();
        assert_eq!(blobs.get("0a1b").await.unwrap(), b"bytes");
        assert_eq!(blobs.get("0a1b.view").await.unwrap(), b"fewer");
        // another installation has none of it
        assert!(Blobs::new(folder.path(), "theirs").get("0a1b").await.is_err());

        let mut names = blobs.older_than(Duration::ZERO, 0x1b).await.unwrap();
        names.sort();
        assert_eq!(names, ["0a1b", "0a1b.view"]);
        assert!(blobs.older_than(Duration::from_hours(1), 0x1b).await.unwrap().is_empty(), "they are new");
        assert!(blobs.older_than(Duration::ZERO, 0x1c).await.unwrap().is_empty());

        blobs.remove("0a1b").await.unwrap();
        blobs.remove("0a1b").await.unwrap();
        assert!(blobs.get("0a1b").await.is_err());
        // a folder where the file should be
        std::fs::create_dir_all(folder.path().join("ours/ff/00ff")).unwrap();
        assert!(blobs.put("00ff", b"bytes".to_vec()).await.is_err());
        assert!(!folder.path().join("ours/ff/00ff.part").exists());
    }
}
