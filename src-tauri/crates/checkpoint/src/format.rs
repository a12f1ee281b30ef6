/// The file format of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightsFormat {
    /// A safetensors file or a folder of them.
    Safetensors,
    /// One GGUF file of ours.
    Gguf,
}
