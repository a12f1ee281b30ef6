//! The program's other commands, as far as the studio calls them.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

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
        "convert" => return convert(arguments),
        _ => return 2,
    }
    0
}

/// Gives a file that lies beside this program for what it was asked to make, as the real one does: under another name
/// first. Without such a file the result is no model.
fn convert(arguments: &[String]) -> i32 {
    let program = std::env::current_exe().unwrap_or_default();
    let after_quant = arguments.iter().skip_while(|argument| *argument != "--quant").nth(1);
    let form = program.with_file_name(format!("{}.gguf", after_quant.map(String::as_str).unwrap_or_default()));
    let Some(target) = arguments.last().map(Path::new) else { return 2 };
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let part = target.with_file_name(format!(".bagel-{name}-{}.part", std::process::id()));
    let bytes = std::fs::read(form).unwrap_or_else(|_| b"not a model".to_vec());
    let is_slow = program.file_stem().is_some_and(|name| name.to_string_lossy().contains("slow"));
    for half in 0..2 {
        let (start, end) = (half * bytes.len() / 2, (half + 1) * bytes.len() / 2);
        let written = std::fs::File::options().create(true).append(true).open(&part);
        if written.and_then(|mut file| file.write_all(&bytes[start..end])).is_err() {
            return 1;
        }
        print(&json!(Event::Loading { id: JobId::new(), bytes: end as u64, total_bytes: bytes.len() as u64 }));
        if is_slow {
            std::thread::sleep(Duration::from_millis(1500));
        }
    }
    i32::from(std::fs::rename(part, target).is_err())
}

fn print(value: &Value) {
    let _ = writeln!(std::io::stdout(), "{value}");
}
