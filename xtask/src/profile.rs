//! Profile-guided builds: the packages as they are released are laid out by what their calls run.
//!
//! A call that finds the processor's caches cold pays for every line of code it touches. Built twice, the second time knowing what
//! the first one ran, the code of a call lies together, and nothing that is never run is inlined into it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::shell::{output, run, scratch, target};

/// What a package has no room for with LLVM's own settings (docs/performance.md): what is run less than a hundredth of the time is kept
/// small, and what is run most is inlined only where that saves more than it adds.
const SPARING: [&str; 2] =
    ["-Cllvm-args=-profile-summary-cutoff-cold=990000", "-Cllvm-args=-inline-savings-multiplier=1"];

/// Has LLVM's linker, which is rustc's own there, keep one of functions that are the same.
const FOLDING: Option<&str> =
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) { Some("-Clink-arg=-Wl,--icf=all") } else { None };

/// How cargo compiles what goes into a package.
#[derive(Clone, PartialEq, Eq)]
pub enum Code {
    /// Unoptimised.
    Debug,
    /// Optimised, without a profile: what anyone gets who builds a package from here by its own tools.
    Plain,
    /// Optimised, and counting what it runs.
    Counting(Counts),
    /// Optimised by this profile.
    Guided(PathBuf),
}

impl Code {
    /// Has cargo compile so, when `command` starts it.
    pub fn ask_for<'a>(&self, root: &Path, command: &'a mut Command) -> Result<&'a mut Command> {
        let flags = match self {
            Code::Debug | Code::Plain => return Ok(command),
            Code::Counting(counts) => {
                // Builds may load what they made, and that counts too.
                counts.of("build", command);
                "-Cprofile-generate".to_owned()
            }
            Code::Guided(profile) => {
                let fixed = SPARING.into_iter().chain(FOLDING).map(str::to_owned);
                let flags =
                    [format!("-Cprofile-use={}", profile.display())].into_iter().chain(fixed).chain(unplaced()?);
                flags.collect::<Vec<_>>().join("\u{1f}")
            }
        };
        // Build scripts are spared the flags where a target is named, though it is this machine.
        Ok(command
            .env("CARGO_ENCODED_RUSTFLAGS", flags)
            .env("CARGO_BUILD_TARGET", of_rustc("host: ")?)
            .env("CARGO_TARGET_DIR", self.target(root)))
    }

    /// The folder that has a folder of programs for each of cargo's profiles.
    pub fn folder(&self, root: &Path) -> Result<PathBuf> {
        Ok(match self {
            Code::Debug | Code::Plain => self.target(root),
            Code::Counting(_) | Code::Guided(_) => self.target(root).join(of_rustc("host: ")?),
        })
    }

    fn target(&self, root: &Path) -> PathBuf {
        match self {
            Code::Debug | Code::Plain => target(root),
            Code::Counting(_) => target(root).join("counting"),
            // Beside the profile, so that what one guides is not built over what another one does.
            Code::Guided(profile) => profile.with_extension(""),
        }
    }
}

/// Has messages of panics name the crate where they begin, without the folder that whoever builds a package keeps crates in.
fn unplaced() -> Result<Vec<String>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("neither CARGO_HOME nor HOME is set")?;
    let registries = std::fs::read_dir(home.join("registry/src")).context("cargo has no sources of crates")?;
    registries.map(|folder| Ok(format!("--remap-path-prefix={}=", folder?.path().display()))).collect()
}

/// What processes with counting code leave behind.
#[derive(Clone, PartialEq, Eq)]
pub struct Counts {
    what: String,
    folder: PathBuf,
    tool: PathBuf,
}

impl Counts {
    /// None yet, of what is called `what`.
    pub fn begin(root: &Path, what: &str) -> Result<Counts> {
        let tool = tool()?;
        let folder = scratch(root, "counting/counts")?;
        std::fs::remove_dir_all(&folder)?;
        Ok(Counts { what: what.to_owned(), folder, tool })
    }

    /// Where counting code that `command` starts has to write, at the end of its process; `who` is it.
    pub fn of<'a>(&self, who: &str, command: &'a mut Command) -> &'a mut Command {
        command.env("LLVM_PROFILE_FILE", self.folder.join(format!("{who}-%m.profraw")))
    }

    /// Fails where `who` left nothing behind.
    pub fn check(&self, who: &str) -> Result<()> {
        let mut files = std::fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        let left = files.any(|file| file.file_name().to_string_lossy().starts_with(&format!("{who}-")));
        ensure!(left, "{who} was to count what it ran, and left nothing in {}", self.folder.display());
        Ok(())
    }

    /// All counts in one, for the code that is built next.
    pub fn profile(&self, root: &Path) -> Result<Code> {
        let profile = scratch(root, "guided")?.join(&self.what).with_extension("profdata");
        let code = Code::Guided(profile.clone());
        run(Command::new(&self.tool).args(["merge", "--output"]).arg(&profile).arg(&self.folder))?;
        // Cargo would take for fresh what an earlier profile of this name guided.
        let built = code.folder(root)?;
        if built.exists() {
            std::fs::remove_dir_all(built)?;
        }
        Ok(code)
    }
}

/// The program that [`tool`] looks for.
pub const TOOL: &str = "llvm-profdata";

/// LLVM's program for profiles, of the version that rustc is made with: no other reads what rustc's code writes.
pub fn tool() -> Result<PathBuf> {
    let llvm = of_rustc("LLVM version: ")?;
    let major = llvm.split('.').next().unwrap_or_default();
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    let component = Path::new(sysroot.trim()).join("lib/rustlib").join(of_rustc("host: ")?).join("bin/llvm-profdata");
    let debian = PathBuf::from(format!("/usr/lib/llvm-{major}/bin/llvm-profdata"));
    let candidates = [component, debian, format!("llvm-profdata-{major}").into(), "llvm-profdata".into()];
    let fits = |tool: &PathBuf| {
        let told = Command::new(tool).arg("--version").output().map(|done| done.stdout).unwrap_or_default();
        String::from_utf8_lossy(&told).contains(&format!("LLVM version {major}."))
    };
    candidates.into_iter().find(fits).with_context(|| {
        format!("llvm-profdata of LLVM {major} is missing: `rustup component add llvm-tools`, or Debian's package llvm-{major}")
    })
}

/// A line of what rustc says of itself.
fn of_rustc(key: &str) -> Result<String> {
    let told = output(Command::new("rustc").arg("-vV"))?;
    let value = told.lines().find_map(|line| line.strip_prefix(key));
    Ok(value.with_context(|| format!("rustc -vV has no line {key:?}"))?.to_owned())
}
