//! Whether a request fits the machine, and what could be tried when it does not.

use catalog::Estimate;
use protocol::{DeviceDescription, ErrorCode, Failure, Job, Kind, Remedy, Size, Thinking, TurnId};

/// Tokens of context that the model was made for.
const MAX_CONTEXT_TOKENS: u32 = 32_768;

/// Bytes that a model and a request may take together on a device, where known; `held_bytes` are held by its weights.
pub(crate) fn available_bytes(
    device: &str,
    held_bytes: u64,
    devices: &[DeviceDescription],
    free_memory: u64,
) -> Option<u64> {
    if device.starts_with("cpu") {
        // The weights' memory is not free, but counts as available to this model.
        return (free_memory > 0).then(|| free_memory.saturating_add(held_bytes));
    }
    devices.iter().find(|it| it.id == device)?.free_bytes
}

/// The failure of a request with more context than the model reads.
pub(crate) fn check_context(estimate: &Estimate, job: &Job) -> Option<Failure> {
    let tokens = estimate.context_tokens;
    if tokens <= MAX_CONTEXT_TOKENS {
        return None;
    }
    let what = if job.kind == Kind::Chat { "the conversation has" } else { "texts and images have" };
    let message = format!(
        "{what} {tokens} tokens and the model reads {MAX_CONTEXT_TOKENS}; \
         leave older questions or images out, or ask in a new project"
    );
    Some(Failure { code: ErrorCode::ContextTooLong, message })
}

/// The failure of a request that does not fit the memory of a device.
pub(crate) fn check_memory(estimate: &Estimate, available: Option<u64>, device: &str, job: &Job) -> Option<Failure> {
    let available = available?;
    let needed = estimate.memory.peak_bytes;
    if needed <= available {
        return None;
    }
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    let is_cpu = device.starts_with("cpu");
    let (code, memory) =
        if is_cpu { (ErrorCode::OutOfHostMemory, "memory") } else { (ErrorCode::OutOfDeviceMemory, "graphics memory") };
    let what = match (job.kind, estimate.size) {
        (Kind::Chat, _) | (_, None) => "this question".to_owned(),
        (_, Some(Size { width, height })) => format!("{width} × {height}"),
    };
    let message = format!(
        "not enough {memory} for {what}: it needs {:.1} GB and {:.1} GB are available",
        gigabytes(needed),
        gigabytes(available)
    );
    Some(Failure { code, message })
}

/// What could be tried instead, the smallest change first; `fitting` is a size that fits or is likely to, `older` are
/// questions that can be left out of the conversation.
pub(crate) fn remedies(failure: &Failure, job: &Job, fitting: Option<Size>, older: Vec<TurnId>) -> Vec<Remedy> {
    let mut remedies = Vec::new();
    if !older.is_empty() {
        remedies.push(Remedy::LeaveOut { turns: older });
    }
    match failure.code {
        ErrorCode::OutOfDeviceMemory | ErrorCode::OutOfHostMemory => {
            if job.kind != Kind::Chat {
                remedies.extend(fitting.map(|size| Remedy::SmallerSize { size }));
            }
            if job.thinking == Thinking::On {
                remedies.push(Remedy::NoThinking);
            }
            if !job.references.is_empty() {
                remedies.push(Remedy::FewerImages);
            }
            remedies.push(Remedy::SmallerModel);
            if remedies.len() < 3 {
                remedies.push(Remedy::Retry);
            }
        }
        ErrorCode::ContextTooLong if !job.references.is_empty() => remedies.push(Remedy::FewerImages),
        ErrorCode::ContextTooLong
        | ErrorCode::BadInput
        | ErrorCode::ModelInvalid
        | ErrorCode::ImageMissing
        | ErrorCode::SizeUnusable
        | ErrorCode::OutOfRange
        | ErrorCode::TextMissing => {}
        ErrorCode::ModelMissing => remedies.push(Remedy::Retry),
        _ => remedies.push(Remedy::Retry),
    }
    remedies
}

#[cfg(test)]
mod tests {
    use protocol::{JobStatus, MemoryEstimate};

    use super::*;
    use crate::fixtures;

    fn job(kind: Kind) -> Job {
        Job { kind, thinking: Thinking::On, ..fixtures::job("a boat", JobStatus::Queued) }
    }

    fn estimate(peak_bytes: u64, context_tokens: u32) -> Estimate {
        let memory = MemoryEstimate { peak_bytes, ..MemoryEstimate::default() };
        Estimate { memory, context_tokens, size: Some(Size { width: 1024, height: 1024 }) }
    }

    #[test]
    fn a_request_beyond_the_memory_is_refused_with_figures() {
        let check = |device: &str, code: ErrorCode| {
            let job = job(Kind::Generate);
            let needs = estimate(12_000_000_000, 100);
            assert!(check_memory(&needs, Some(12_000_000_000), device, &job).is_none());
            assert!(check_memory(&needs, None, device, &job).is_none(), "nothing is refused on a guess");
            let refused = check_memory(&needs, Some(8_000_000_000), device, &job).unwrap();
            assert_eq!(refused.code, code);
            assert!(refused.message.contains("1024 × 1024: it needs 12.0 GB and 8.0 GB"), "{}", refused.message);
        };
        check("cuda:0", ErrorCode::OutOfDeviceMemory);
        check("cpu", ErrorCode::OutOfHostMemory);
    }

    #[test]
    fn a_conversation_that_outgrows_the_model_is_refused() {
        assert!(check_context(&estimate(1, 32_768), &job(Kind::Chat)).is_none());
        let refused = check_context(&estimate(1, 40_000), &job(Kind::Chat)).unwrap();
        assert_eq!(refused.code, ErrorCode::ContextTooLong);
        assert!(refused.message.contains("40000 tokens"), "{}", refused.message);
    }

    #[test]
    fn the_processor_may_use_what_its_weights_hold() {
        assert_eq!(available_bytes("cpu", 10 << 30, &[], 1 << 30), Some(11 << 30));
        assert_eq!(available_bytes("cuda:0", 10 << 30, &[], 1 << 30), None);
    }

    #[test]
    fn the_smallest_change_is_offered_first() {
        let failure = Failure { code: ErrorCode::OutOfDeviceMemory, message: String::new() };
        let size = Size { width: 768, height: 768 };
        let found = remedies(&failure, &job(Kind::Generate), Some(size), Vec::new());
        assert_eq!(found, [Remedy::SmallerSize { size }, Remedy::NoThinking, Remedy::SmallerModel]);
        let older = vec![TurnId::new()];
        let found = remedies(&failure, &job(Kind::Chat), None, older.clone());
        assert_eq!(found, [Remedy::LeaveOut { turns: older }, Remedy::NoThinking, Remedy::SmallerModel]);
    }
}
