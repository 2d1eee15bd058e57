//! Everything that is trained, as one flat list of numbers with names: what the optimiser steps
//! over, what a checkpoint holds and what an adapter file is.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor, bail};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// One trained tensor's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub name: String,
    pub shape: Vec<usize>,
    pub start: usize,
}

impl Place {
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Parameters {
    pub places: Vec<Place>,
    pub values: Vec<f32>,
}

/// How a new tensor begins.
pub(crate) enum Start {
    Zero,
    /// Uniform in ±1/√columns: LoRA's A (Kaiming uniform with a = √5, as the paper's library).
    Fan(u64),
    Given(Vec<f32>),
}

impl Parameters {
    /// Adds a tensor behind the others.
    pub(crate) fn add(&mut self, name: String, shape: Vec<usize>, start: Start) {
        let place = Place { name, shape, start: self.values.len() };
        let count = place.len();
        match start {
            Start::Zero => self.values.resize(place.start + count, 0.0),
            Start::Fan(seed) => {
                let bound = 1.0 / (place.shape.last().copied().unwrap_or(1) as f32).sqrt();
                let mut rng = StdRng::seed_from_u64(seed ^ place.start as u64);
                self.values.extend((0..count).map(|_| rng.random_range(-bound..bound)));
            }
            Start::Given(values) => self.values.extend(values),
        }
        self.places.push(place);
    }

    /// Where the tensor called `name` begins; behind all if there is none.
    pub(crate) fn start(&self, name: &str) -> usize {
        let place = self.places.iter().find(|place| place.name == name);
        place.map_or(self.values.len(), |place| place.start)
    }

    /// The tensor called `name`, if there is one.
    ///
    /// # Errors
    /// If the device refuses.
    pub(crate) fn tensor(&self, name: &str, device: &Device) -> Result<Option<Tensor>> {
        let Some(place) = self.places.iter().find(|place| place.name == name) else {
            return Ok(None);
        };
        let values = &self.values[place.start..place.start + place.len()];
        Tensor::from_slice(values, place.shape.as_slice(), device).map(Some)
    }

    /// By name, as tensors: what files hold.
    ///
    /// # Errors
    /// As [`Parameters::tensor`].
    pub(crate) fn tensors(&self) -> Result<HashMap<String, Tensor>> {
        let tensor = |place: &Place| {
            let values = &self.values[place.start..place.start + place.len()];
            let tensor = Tensor::from_slice(values, place.shape.as_slice(), &Device::Cpu)?;
            Ok((place.name.clone(), tensor))
        };
        self.places.iter().map(tensor).collect()
    }

    /// Takes the values of the tensors called as ours, which must all be there with our shapes.
    ///
    /// # Errors
    /// Naming the tensor that is missing or of another shape.
    pub(crate) fn set(&mut self, tensors: &HashMap<String, Tensor>, prefix: &str) -> Result<()> {
        for place in &self.places {
            let Some(tensor) = tensors.get(&format!("{prefix}{}", place.name)) else {
                bail!("{prefix}{} is missing", place.name);
            };
            if tensor.dims() != place.shape {
                bail!("{} has the shape {:?}, not {:?}", place.name, tensor.dims(), place.shape);
            }
            let values: Vec<f32> =
                tensor.flatten_all()?.to_dtype(candle_core::DType::F32)?.to_vec1()?;
            self.values[place.start..place.start + place.len()].copy_from_slice(&values);
        }
        Ok(())
    }
}

/// Gradients of [`Parameters`], place by place.
#[derive(Debug, Clone)]
pub(crate) struct Gradients {
    pub values: Vec<f32>,
    by_name: HashMap<String, (usize, usize)>,
}

impl Gradients {
    pub(crate) fn zero(parameters: &Parameters) -> Gradients {
        let place = |place: &Place| (place.name.clone(), (place.start, place.len()));
        let by_name = parameters.places.iter().map(place).collect();
        Gradients { values: vec![0.0; parameters.values.len()], by_name }
    }

    /// Adds to the gradient of `name`; one that is not trained is passed over.
    ///
    /// # Errors
    /// If the sizes differ.
    pub(crate) fn add(&mut self, name: &str, gradient: &Tensor) -> Result<()> {
        let Some((start, count)) = self.by_name.get(name).copied() else { return Ok(()) };
        let values: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
        if values.len() != count {
            bail!("{name}: a gradient of {} values for {count}", values.len());
        }
        let own = &mut self.values[start..start + count];
        own.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        Ok(())
    }
}
