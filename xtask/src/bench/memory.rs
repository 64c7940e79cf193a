//! Resident memory.

use dev_services::process;

/// The resident memory of a process and its descendants, in bytes; shared pages count for each.
pub fn resident(pid: u32) -> u64 {
    process::tree(pid).into_iter().filter_map(of_one).sum()
}

fn of_one(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_resident_memory() {
        assert!(super::resident(std::process::id()) > 100_000);
    }
}
