//! Which shape an area is: outlines are laid over it and shifted until they fit best.

use crate::shape::{Measures, Shape};

/// How much of each pixel of a window a thing covers, 0 to 1.
#[derive(Debug)]
pub(crate) struct Coverage {
    /// The window's left and top pixel.
    pub(crate) left: usize,
    pub(crate) top: usize,
    pub(crate) width: usize,
    pub(crate) values: Vec<f32>,
}

/// An outline where it fits best, in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    pub(crate) shape: Shape,
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) radius: f32,
    pub(crate) angle: f32,
    /// Pixels over which the edge goes from nothing to all.
    pub(crate) softness: f32,
    /// What outline and area share, as a part of what either covers.
    pub(crate) likeness: f32,
}

/// The fits of all shapes, best first.
pub(crate) fn fits(coverage: &Coverage, shapes: &[(Shape, Measures)]) -> Vec<Fit> {
    let (mut area, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    for (x, y, value) in coverage.pixels() {
        area += value;
        x_sum += value * x;
        y_sum += value * y;
    }
    if area <= 0.0 {
        return Vec::new();
    }
    let centre = (x_sum / area, y_sum / area);
    let mut found: Vec<Fit> =
        shapes.iter().map(|(shape, measures)| fit(coverage, *shape, *measures, area, centre)).collect();
    found.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
    found
}

fn fit(coverage: &Coverage, shape: Shape, measures: Measures, area: f32, centre: (f32, f32)) -> Fit {
    let radius = (area / measures.area).sqrt();
    let (x, y) = (centre.0 - measures.u * radius, centre.1 - measures.v * radius);
    let start = Fit { shape, x, y, radius, angle: 0.0, softness: 1.5, likeness: 0.0 };
    let mut best = Fit { likeness: coverage.likeness(&start), ..start };
    // One number at a time is moved as long as that helps, in ever smaller steps.
    for step in [1.0, 0.5, 0.25] {
        for _ in 0..2 {
            let moved = [
                Fit { x: best.x - step, ..best },
                Fit { x: best.x + step, ..best },
                Fit { y: best.y - step, ..best },
                Fit { y: best.y + step, ..best },
                Fit { radius: best.radius * (1.0 - 0.06 * step), ..best },
                Fit { radius: best.radius * (1.0 + 0.06 * step), ..best },
                Fit { angle: (best.angle - 0.1 * step).max(-0.15), ..best },
                Fit { angle: (best.angle + 0.1 * step).min(0.15), ..best },
                Fit { softness: (best.softness - step).max(1.0), ..best },
                Fit { softness: (best.softness + step).min(4.0), ..best },
            ];
            let next = moved.into_iter().map(|fit| Fit { likeness: coverage.likeness(&fit), ..fit });
            let Some(next) = next.max_by(|a, b| a.likeness.total_cmp(&b.likeness)) else { break };
            if next.likeness <= best.likeness {
                break;
            }
            best = next;
        }
    }
    best
}

impl Coverage {
    /// The centre of every pixel with its value.
    fn pixels(&self) -> impl Iterator<Item = (f32, f32, f32)> + '_ {
        self.values.iter().enumerate().map(|(index, &value)| {
            let (column, row) = (index % self.width, index / self.width);
            ((self.left + column) as f32 + 0.5, (self.top + row) as f32 + 0.5, value)
        })
    }

    fn likeness(&self, fit: &Fit) -> f32 {
        let (sine, cosine) = fit.angle.sin_cos();
        let (mut shared, mut either) = (0.0, 0.0);
        for (x, y, value) in self.pixels() {
            let (u, v) = ((x - fit.x) / fit.radius, (y - fit.y) / fit.radius);
            let distance = fit.shape.distance(u * cosine + v * sine, v * cosine - u * sine);
            let drawn = (0.5 - distance * fit.radius / fit.softness).clamp(0.0, 1.0);
            shared += drawn.min(value);
            either += drawn.max(value);
        }
        shared / f32::max(either, 1e-6)
    }
}
