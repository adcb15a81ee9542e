//! The files of a store, below one folder. Owns that what is told to be written is on the disk when the call returns, and
//! where a test may cut the power. Refuses to know what is in them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone)]
pub(crate) struct Disk {
    root: PathBuf,
    #[cfg(test)]
    pub(crate) fuse: Option<crate::tests::fuse::Fuse>,
}

impl Disk {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            #[cfg(test)]
            fuse: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Before each change of the disk. `written`: the file it changes, which is not safe until it is synced.
    #[cfg_attr(
        not(test),
        expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "a test cuts the power here")
    )]
    fn step(&self, written: Option<&Path>) -> io::Result<()> {
        #[cfg(test)]
        if let Some(fuse) = &self.fuse {
            return fuse.step(written);
        }
        let _ = written;
        Ok(())
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "a test cuts the power here"))]
    fn safe(&self, written: &Path) {
        #[cfg(test)]
        if let Some(fuse) = &self.fuse {
            fuse.safe(written);
        }
        let _ = written;
    }

    pub(crate) fn create_dir(&self, name: &str) -> io::Result<()> {
        self.step(None)?;
        fs::create_dir_all(self.path(name))
    }

    pub(crate) fn create(&self, name: &str) -> io::Result<Out> {
        let path = self.path(name);
        self.step(Some(&path))?;
        let file = File::create(&path)?;
        Ok(Out { disk: self.clone(), path, buffer: Vec::with_capacity(OUT_BYTES), file, bytes: 0 })
    }

    /// A file that nobody reads before its folder is synced.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut out = self.create(name)?;
        out.write_all(bytes)?;
        out.finish().map(drop)
    }

    /// Behind the first `at` bytes; what stood there was never told to be in the file.
    pub(crate) fn append(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        self.step(None)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
        file.set_len(at)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)?;
        self.step(None)?;
        file.sync_all()
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step(None)?;
        fs::rename(self.path(from), self.path(to))
    }

    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        self.step(None)?;
        fs::remove_file(self.path(name))
    }

    /// A file, or a folder with all that is in it; nothing where there is none.
    pub(crate) fn remove_all(&self, name: &str) -> io::Result<()> {
        self.step(None)?;
        let path = self.path(name);
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// A folder below this one, as one of its own.
    pub(crate) fn within(&self, name: &str) -> Self {
        let mut within = self.clone();
        within.root = self.path(name);
        within
    }

    /// What was created, renamed or removed in it stays so.
    pub(crate) fn sync_dir(&self, name: &str) -> io::Result<()> {
        self.step(None)?;
        File::open(self.path(name))?.sync_all()
    }

    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(name))
    }

    /// The first `bytes` of a file.
    pub(crate) fn read_head(&self, name: &str, bytes: u64) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        File::open(self.path(name))?.take(bytes).read_to_end(&mut all)?;
        if (all.len() as u64) < bytes {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("{name} ends after {} bytes", all.len()),
            ));
        }
        Ok(all)
    }

    pub(crate) fn open(&self, name: &str) -> io::Result<File> {
        File::open(self.path(name))
    }

    /// The names in a folder, in order.
    pub(crate) fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(folder))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }
}

const OUT_BYTES: usize = 1 << 20;

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Out {
    disk: Disk,
    path: PathBuf,
    buffer: Vec<u8>,
    file: File,
    bytes: u64,
}

impl Out {
    /// On the disk, whole; its length.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        self.disk.step(Some(&self.path))?;
        self.file.sync_all()?;
        self.disk.safe(&self.path);
        Ok(self.bytes)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > OUT_BYTES {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.disk.step(Some(&self.path))?;
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
