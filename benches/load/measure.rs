//! What the machine says: CPU and memory of processes; and what a row of figures says: its percentiles.

use anyhow::Context;
use std::fs;

/// Ticks of `/proc/PID/stat` in a second, on every Linux of these days.
const TICKS: f64 = 100.;

/// CPU-seconds of a process, all its threads; of a process with children also theirs that have ended.
pub fn cpu(pid: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    // the name, in brackets, may hold anything
    let fields = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = fields.split(' ').skip(11).take(4).filter_map(|f| f.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / TICKS)
}

/// A process and its children.
pub fn family(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    std::iter::once(pid).chain(children.split_whitespace().filter_map(|c| c.parse().ok())).collect()
}

/// CPU-seconds of a process, its children and those that have ended.
pub fn family_cpu(pid: u32) -> f64 {
    family(pid).into_iter().filter_map(|p| cpu(p).ok()).sum()
}

/// Memory in megabytes (10⁶ bytes).
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// All pages of it that are in memory.
    pub rss: f64,
    /// The same, with shared pages divided by their users.
    pub pss: f64,
}

/// The memory of a process.
pub fn memory(pid: u32) -> anyhow::Result<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let field = |name: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
        kib.unwrap_or_default() * 1024. / 1e6
    };
    Ok(Memory { rss: field("Rss:"), pss: field("Pss:") })
}

/// Memory of a process and its children together, shared pages once.
pub fn family_memory(pid: u32) -> f64 {
    family(pid).into_iter().filter_map(|p| memory(p).ok()).map(|m| m.pss).sum()
}

/// The value below which this share (0 to 1) of the values lies; zero of none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of a slice")]
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
}

/// Half of the values are below it.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// The processor, as the machine names it.
pub fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or_default();
    name.trim_start_matches(['\t', ' ', ':']).to_owned()
}
