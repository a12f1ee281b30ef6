//! The devices that can compute.

use crate::arguments::ReportOptions;
use crate::display::{print_json, print_line};
use crate::{Result, host};

/// Runs the command.
pub(crate) fn run(report: ReportOptions) -> Result<()> {
    for device in host::devices() {
        if report.json {
            print_json(&device)?;
            continue;
        }
        let gigabytes = |bytes: Option<u64>| bytes.map(|bytes| format!("{:.1} GB", bytes as f64 / 1e9));
        let details = [
            gigabytes(device.memory_bytes).map(|total| format!("{total} in all")),
            gigabytes(device.free_bytes).map(|free| format!("{free} free")),
            device.compute_capability.map(|capability| format!("compute capability {capability}")),
        ];
        let details: Vec<String> = details.into_iter().flatten().collect();
        print_line(&format!("{:<8} {}  {}", device.id, device.name, details.join(", ")))?;
    }
    Ok(())
}
