//! The files a generation makes, and whether the tree holds exactly these.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Names every generated file with its digest; checked in beside the contracts.
const MANIFEST: &str = "spec/generated.json";
const MARK: &str = "@generated";

/// Files by path below the root.
#[derive(Default)]
pub struct Files(BTreeMap<String, String>);

#[derive(Serialize, Deserialize, Default)]
struct Manifest {
    /// Path → SHA-256 in hex.
    files: BTreeMap<String, String>,
}

impl Files {
    /// Adds a file.
    pub fn add(&mut self, path: impl Into<String>, text: String) -> Result<()> {
        let path = path.into();
        if !text.lines().take(3).any(|line| line.contains(MARK)) {
            bail!("{path}: a generated file says {MARK} in its first three lines");
        }
        match self.0.insert(path.clone(), text) {
            Some(_) => bail!("{path}: written twice; two outputs claim this file"),
            None => Ok(()),
        }
    }

    /// The text of a file.
    #[cfg(test)]
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Every path.
    #[cfg(test)]
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn manifest(&self) -> Result<String> {
        let digest = |text: &String| Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let files = self.0.iter().map(|(path, text)| (path.clone(), digest(text))).collect();
        Ok(serde_json::to_string_pretty(&Manifest { files })? + "\n")
    }

    /// Writes what differs, and removes what earlier generations left.
    pub fn write(&self, root: &Path) -> Result<()> {
        for orphan in self.orphans(root)?.into_iter().filter(|orphan| orphan.marked) {
            fs::remove_file(root.join(&orphan.path)).with_context(|| orphan.path.clone())?;
            println!("removed {}", orphan.path);
        }
        let manifest = self.manifest()?;
        for (path, text) in self.0.iter().map(|(path, text)| (path.as_str(), text)).chain([(MANIFEST, &manifest)]) {
            let target = root.join(path);
            if fs::read_to_string(&target).is_ok_and(|have| have == *text) {
                continue;
            }
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&target, text).with_context(|| path.to_owned())?;
            println!("wrote {path}");
        }
        Ok(())
    }

    /// Fails unless the tree holds exactly these files.
    pub fn check(&self, root: &Path) -> Result<()> {
        let mut wrong = Vec::new();
        let manifest = self.manifest()?;
        for (path, text) in self.0.iter().map(|(path, text)| (path.as_str(), text)).chain([(MANIFEST, &manifest)]) {
            match fs::read_to_string(root.join(path)) {
                Ok(have) if have == *text => {}
                Ok(_) => wrong.push(format!("{path}: differs")),
                Err(_) => wrong.push(format!("{path}: is missing")),
            }
        }
        for orphan in self.orphans(root)? {
            wrong.push(match orphan.marked {
                true => format!("{}: is left over from an earlier generation", orphan.path),
                false => format!("{}: does not belong in a folder of generated files; move it", orphan.path),
            });
        }
        if !wrong.is_empty() {
            bail!(
                "generated files are not what spec/ says; run `cargo xtask generate`, and change spec/ or xtask/templates/ instead of them:\n  {}",
                wrong.join("\n  ")
            );
        }
        Ok(())
    }

    /// Files that this generation does not make: those the manifest lists, and any in a folder it writes to.
    fn orphans(&self, root: &Path) -> Result<Vec<Orphan>> {
        let listed = fs::read_to_string(root.join(MANIFEST)).ok().and_then(|text| serde_json::from_str(&text).ok());
        let listed: Manifest = listed.unwrap_or_default();
        let mut found: BTreeSet<String> = listed.files.into_keys().filter(|path| root.join(path).is_file()).collect();
        let folders: BTreeSet<&Path> = self.0.keys().filter_map(|path| Path::new(path).parent()).collect();
        for folder in folders {
            let Ok(entries) = fs::read_dir(root.join(folder)) else { continue };
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    found.insert(path_text(&folder.join(entry.file_name())));
                }
            }
        }
        found.retain(|path| !self.0.contains_key(path));
        let orphan = |path: String| Orphan { marked: is_marked(&root.join(&path)), path };
        Ok(found.into_iter().map(orphan).collect())
    }
}

/// A file that no output claims.
struct Orphan {
    path: String,
    /// It says that it was generated, so it may be removed.
    marked: bool,
}

fn is_marked(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.lines().take(3).any(|line| line.contains(MARK)))
}

fn path_text(path: &Path) -> String {
    path.components().collect::<PathBuf>().to_string_lossy().replace('\\', "/")
}
