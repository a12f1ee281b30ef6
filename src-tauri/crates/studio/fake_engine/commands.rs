//! The program's other commands, as far as the studio calls them.

use std::io::Write;

use protocol::{DeviceDescription, Event, JobId};
use serde_json::{Value, json};

/// Carries one out and gives the exit status.
pub(crate) fn run(command: &str, arguments: &[String], devices: &[DeviceDescription]) -> i32 {
    match command {
        "devices" => devices.iter().for_each(|device| print(&json!(device))),
        "bench" => print(&json!({
            "kind": "benched",
            "model": { "name": "synthetic", "quantization": "q4_k_m", "device": "cpu" },
            "stages": [
                { "name": "denoise step, 3 branches", "median_secs": 2.0 },
                { "name": "text decode", "median_secs": 1.0, "tokens_per_sec": 5.0 },
            ],
        })),
        "convert" => {
            for bytes in [50, 100] {
                print(&json!(Event::Loading { id: JobId("1".to_owned()), bytes, total_bytes: 100 }));
            }
            if let Some(target) = arguments.last() {
                let _ = std::fs::write(target, "not a model");
            }
        }
        _ => return 2,
    }
    0
}

fn print(value: &Value) {
    let _ = writeln!(std::io::stdout(), "{value}");
}
