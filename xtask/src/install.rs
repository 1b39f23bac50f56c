//! What the whole suite needs and a clean machine lacks. Everything installed is printed first, and is only installed if absent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::{shell, workspace};

/// Installs Debian packages.
pub(crate) fn apt(packages: &[&str], purpose: &str) -> Result<()> {
    println!("installing with apt: {} ({purpose})", packages.join(" "));
    let prefix: &[&str] = match (is_root()?, shell::find("sudo")) {
        _ if shell::find("apt-get").is_none() => {
            bail!("there is no apt-get here: install {} by hand", packages.join(" "))
        }
        (true, _) => &[],
        (false, Some(_)) => &["sudo", "--non-interactive"],
        (false, None) => bail!("not root: run `apt-get install {}` as root, then run this again", packages.join(" ")),
    };
    let apt_get = |arguments: &[&str]| {
        let words = [
            prefix,
            &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=500"],
            arguments,
        ]
        .concat();
        shell::run(Command::new(words[0]).args(&words[1..]))
    };
    apt_get(&["update"])?;
    apt_get(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// Files and programs that must be there, and the packages that bring them.
pub(crate) fn apt_unless(present: bool, packages: &[&str], purpose: &str) -> Result<()> {
    if present { Ok(()) } else { apt(packages, purpose) }
}

pub(crate) fn is_root() -> Result<bool> {
    Ok(shell::output(Command::new("id").arg("-u"))?.trim() == "0")
}

/// The folder with `initdb`, `pg_ctl` and `psql`, of the newest PostgreSQL.
pub(crate) fn postgres() -> Result<PathBuf> {
    if let Some(folder) = find_postgres() {
        return Ok(folder);
    }
    apt(&["postgresql"], "the database that the tests run on beside SQLite")?;
    find_postgres().context("PostgreSQL was installed, but /usr/lib/postgresql/*/bin has no initdb and pg_ctl")
}

/// A `psql` or `postgres` on the PATH proves nothing: only a folder that can make a cluster counts.
fn find_postgres() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut versions: Vec<_> =
        debian.filter_map(|path| Some((path.file_name()?.to_str()?.parse::<u32>().ok()?, path.join("bin")))).collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let on_path = shell::find("pg_ctl").and_then(|path| Some(path.canonicalize().ok()?.parent()?.to_owned()));
    let complete = |folder: &PathBuf| ["initdb", "pg_ctl", "psql"].iter().all(|program| folder.join(program).is_file());
    versions.into_iter().map(|(_, folder)| folder).chain(on_path).find(complete)
}

pub(crate) fn chromium() -> Result<()> {
    apt_unless(Path::new("/usr/bin/chromium").exists(), &["chromium"], "the browser of the browser tests")
}

/// Installs a folder's locked npm packages, without running their scripts.
pub(crate) fn npm(folder: &Path) -> Result<()> {
    npm_with(folder, &[])
}

/// The same with further options of `npm ci`.
pub(crate) fn npm_with(folder: &Path, options: &[&str]) -> Result<()> {
    apt_unless(
        shell::find("node").is_some() && shell::find("npm").is_some(),
        &["nodejs", "npm"],
        "to run Clerk's SDKs",
    )?;
    let version = shell::output(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    ensure!(
        major.is_some_and(|major| major >= 20),
        "Clerk's SDKs need Node.js 20 or newer, and `node` is {}",
        version.trim()
    );

    let lock = folder.join("package-lock.json");
    ensure!(
        lock.is_file(),
        "{} is missing: run `npm install --ignore-scripts` in that folder once and commit it",
        lock.display()
    );
    if is_newer(&folder.join("node_modules/.package-lock.json"), &lock) {
        return Ok(());
    }
    println!("installing with npm: the packages of {}", lock.display());
    let mut command = Command::new("npm");
    command.args(["ci", "--ignore-scripts", "--no-fund", "--no-audit"]).args(options);
    shell::run(command.current_dir(folder))
}

/// A Python environment under the target folder with a requirements file installed; returns its interpreter.
pub(crate) fn python(name: &str, requirements: &Path) -> Result<PathBuf> {
    ensure!(requirements.is_file(), "{} is missing", requirements.display());
    let folder = workspace::target().join(name);
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed-requirements.txt"));
    let wanted = fs::read(requirements)?;
    if python.exists() && fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let has_venv = Command::new("python3")
        .args(["-c", "import venv, ensurepip"])
        .output()
        .is_ok_and(|output| output.status.success());
    apt_unless(has_venv, &["python3", "python3-venv"], "to run Clerk's Python SDK")?;
    println!("installing with pip: {} into {}", requirements.display(), folder.display());
    shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    shell::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(requirements),
    )?;
    fs::write(stamp, wanted)?;
    Ok(python)
}

/// Real identity providers, copied to where they may write. Nothing if the reference material is not beside the project.
pub(crate) fn identity_providers() -> Result<Option<PathBuf>> {
    let source = workspace::shared().join("idps");
    if !source.is_dir() {
        return Ok(None);
    }
    let copy = workspace::target().join("idps");
    copy_folder(&source, &copy)?;
    let simplesamlphp = Path::new("/usr/share/simplesamlphp/www").is_dir() && shell::find("php").is_some();
    if !simplesamlphp {
        println!("installing with apt: simplesamlphp and PHP (a real SAML identity provider for the browser tests)");
        shell::run(Command::new("bash").arg(copy.join("simplesamlphp/install.sh")))?;
    }
    apt_unless(
        shell::find("curl").is_some() && shell::find("openssl").is_some(),
        &["curl", "openssl"],
        "to start simplesamlphp",
    )?;
    npm(&copy.join("samlp-node"))?;
    npm(&copy.join("oidc-provider"))?;
    Ok(Some(copy))
}

/// Copies what the source has over what the target has; the copies are writable even where the originals are not.
pub(crate) fn copy_folder(source: &Path, target: &Path) -> Result<()> {
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let (from, to) = (entry.path(), target.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            let content = fs::read(&from)?;
            // An unchanged file keeps its time, by which it is seen that its packages are installed.
            if !fs::read(&to).is_ok_and(|copied| copied == content) {
                fs::write(&to, content).with_context(|| format!("cannot write {}", to.display()))?;
            }
        }
    }
    Ok(())
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    modified(file).is_some_and(|time| Some(time) >= modified(than))
}
