//! What a report must say of where it was made.

use std::process::Command;

use super::clients::Workshop;

/// The machine and the versions, one to a line.
pub fn describe(workshop: &Workshop) -> Vec<String> {
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut lines = vec![
        format!("{cores} cores, {}", model.map_or("processor not named", |(_, name)| name)),
        first_line(Command::new("uname").args(["-sr"])),
        format!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim()),
        first_line(Command::new("rustc").arg("--version")),
    ];
    if workshop.python().exists() {
        lines.push(first_line(Command::new(workshop.python()).arg("--version")));
        let mut list = Command::new(workshop.python());
        list.args(["-m", "pip", "--disable-pip-version-check", "list", "--format", "freeze"]);
        let wanted = ["aiohttp", "blooio", "bloomchats", "httpx", "pyreqwest"];
        lines.extend(
            output(&mut list)
                .lines()
                .filter(|line| wanted.iter().any(|name| is_version(line, name)))
                .map(str::to_owned),
        );
    }
    if workshop.node().exists() {
        lines.push(format!("Node {}", first_line(Command::new("node").arg("--version"))));
        let manifest = std::fs::read_to_string(workshop.root.join("benches/node/package.json")).unwrap_or_default();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap_or_default();
        let peers = manifest["dependencies"].as_object().cloned().unwrap_or_default();
        lines.extend(peers.iter().map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or_default())));
    }
    lines
}

fn is_version(line: &str, name: &str) -> bool {
    line.split_once("==").is_some_and(|(package, _)| package == name)
}

fn output(command: &mut Command) -> String {
    let done = command.output().map(|done| done.stdout).unwrap_or_default();
    String::from_utf8_lossy(&done).into_owned()
}

fn first_line(command: &mut Command) -> String {
    output(command).lines().next().unwrap_or_default().to_owned()
}
