//! Which device computes. An explicit choice that is not there is an error, never a fall-back.

use std::str::FromStr;

pub use candle_core::Device;
use candle_core::utils::{cuda_is_available, metal_is_available, with_avx, with_neon};
use models::MindError;

use crate::narrow;

/// What the person asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The GPU this build was made for, if it answers; else the CPU.
    #[default]
    Auto,
    Cpu,
    Cuda,
    Metal,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(DeviceChoice::Auto),
            "cpu" => Ok(DeviceChoice::Cpu),
            "cuda" => Ok(DeviceChoice::Cuda),
            "metal" => Ok(DeviceChoice::Metal),
            other => Err(format!("unknown device {other:?}; use auto, cpu, cuda or metal")),
        }
    }
}

impl DeviceChoice {
    /// The device, and its description for people.
    ///
    /// # Errors
    /// [`MindError::Device`] saying what is missing: the cargo feature or the hardware.
    pub fn open(self) -> Result<(Device, String), MindError> {
        match self {
            DeviceChoice::Cpu => Ok((Device::Cpu, cpu_words())),
            DeviceChoice::Cuda => {
                let device = gpu("cuda", cuda_is_available(), Device::new_cuda)?;
                Ok((device, "cuda device 0".to_owned()))
            }
            DeviceChoice::Metal => {
                let device = gpu("metal", metal_is_available(), Device::new_metal)?;
                Ok((device, "metal device 0".to_owned()))
            }
            DeviceChoice::Auto if cuda_is_available() => match DeviceChoice::Cuda.open() {
                Err(error) => Ok((Device::Cpu, format!("{}; no cuda: {error}", cpu_words()))),
                opened => opened,
            },
            DeviceChoice::Auto if metal_is_available() => match DeviceChoice::Metal.open() {
                Err(error) => Ok((Device::Cpu, format!("{}; no metal: {error}", cpu_words()))),
                opened => opened,
            },
            DeviceChoice::Auto => DeviceChoice::Cpu.open(),
        }
    }
}

fn gpu(
    name: &str,
    built_in: bool,
    open: fn(usize) -> candle_core::Result<Device>,
) -> Result<Device, MindError> {
    if !built_in {
        return Err(MindError::Device(format!(
            "this build has no {name} support; build it with: cargo build --release --features {name}, or use --device auto"
        )));
    }
    open(0).map_err(|error| {
        MindError::Device(format!("no {name} device answers ({error}); use --device cpu"))
    })
}

fn cpu_words() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let vectors = match (with_avx(), with_neon()) {
        (true, _) => "avx2",
        (_, true) => "neon",
        _ => "no vector instructions: see models/README.md on portable builds",
    };
    let bytes = if narrow::usable() { ", 8-bit products" } else { "" };
    format!("cpu ({threads} threads, {vectors}{bytes})")
}
