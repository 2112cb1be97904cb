//! A test that needs an environment of its own runs itself again as a child process.

use std::process::Command;

const ROLE: &str = "BLOOMCHATS_TEST_CHILD";

/// What the parent told this process, if it is the child.
pub fn told() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Runs the test `name` again, as a child with `environment`, and tells it `what`.
pub fn run(name: &str, what: &str, environment: &[(&str, &str)]) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([name, "--exact", "--nocapture", "--test-threads", "1"]).env(ROLE, what);
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        child.env_remove(variable).env_remove(variable.to_ascii_lowercase());
    }
    child.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    let output = child.envs(environment.iter().copied()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
