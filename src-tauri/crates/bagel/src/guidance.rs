//! Classifier-free guidance: three velocities become one.
//!
//! `u = v_text + s_t (v − v_text)`, `w = v_image + s_i (u − v_image)`, scaled
//! back towards the length of `v` so that strong guidance does not burn the
//! image. Reference: `_forward_flow` in `modeling/bagel/bagel.py`.

use candle_core::{D, Tensor};
use protocol::{ImageParameters, Renorm};

use crate::Result;

/// Keeps the division of two lengths finite.
const EPSILON: f64 = 1e-8;

/// The contexts that a step needs besides the conditional one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Branches {
    pub(crate) without_text: bool,
    pub(crate) without_image: bool,
}

impl Branches {
    /// A text guidance of 1 or less turns off all guidance, as in the reference.
    pub(crate) fn needed(parameters: &ImageParameters, is_guided: bool) -> Self {
        let without_text = is_guided && parameters.text_guidance > 1.0;
        Self { without_text, without_image: without_text && parameters.image_guidance > 1.0 }
    }
}

/// `v` guided by the velocities without the text and without the images, all (tokens, numbers).
pub(crate) fn guide(
    v: &Tensor,
    without_text: &Tensor,
    without_image: Option<&Tensor>,
    parameters: &ImageParameters,
) -> Result<Tensor> {
    let by_text = lerp(without_text, v, parameters.text_guidance)?;
    let guided_by_image = |u: Tensor| match without_image {
        Some(v_image) => lerp(v_image, &u, parameters.image_guidance),
        None => Ok(u),
    };
    let renorm = |w: Tensor, reference: Tensor, length: Tensor| -> Result<Tensor> {
        let factor = (reference / (length + EPSILON)?)?.clamp(parameters.renorm_min, 1.0)?;
        Ok(w.broadcast_mul(&factor)?)
    };
    match parameters.renorm {
        Renorm::TextChannel => {
            let (reference, length) = (token_norm(v)?, token_norm(&by_text)?);
            guided_by_image(renorm(by_text, reference, length)?)
        }
        Renorm::Global => {
            let w = guided_by_image(by_text)?;
            let (reference, length) = (v.sqr()?.sum_all()?.sqrt()?, w.sqr()?.sum_all()?.sqrt()?);
            renorm(w, reference, length)
        }
        Renorm::Channel => {
            let w = guided_by_image(by_text)?;
            let (reference, length) = (token_norm(v)?, token_norm(&w)?);
            renorm(w, reference, length)
        }
    }
}

/// `from + scale · (to − from)`
fn lerp(from: &Tensor, to: &Tensor, scale: f64) -> Result<Tensor> {
    Ok((from + ((to - from)? * scale)?)?)
}

fn token_norm(v: &Tensor) -> Result<Tensor> {
    Ok(v.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?)
}
