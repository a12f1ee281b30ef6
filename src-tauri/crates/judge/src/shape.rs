//! The outlines of the eight shapes, as signed distances in units of their radius.

use std::f32::consts::PI;
use std::sync::OnceLock;

/// A shape. Its outline lies within about one radius of its centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A disc.
    Circle,
    /// A square on its side.
    Square,
    /// A triangle that points up.
    Triangle,
    /// A star of five points.
    Star,
    /// A heart.
    Heart,
    /// A circle with a hole.
    Ring,
    /// A plus sign.
    Cross,
    /// A moon that opens to the right.
    Crescent,
}

impl Shape {
    /// All shapes with their names in world.json.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Circle, "circle"),
        (Self::Square, "square"),
        (Self::Triangle, "triangle"),
        (Self::Star, "star"),
        (Self::Heart, "heart"),
        (Self::Ring, "ring"),
        (Self::Cross, "cross"),
        (Self::Crescent, "crescent"),
    ];

    /// The shape of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(shape, _)| *shape)
    }

    /// Its name in world.json.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(shape, _)| *shape == self).map_or("", |(_, name)| name)
    }

    /// Whether a point, in units of the radius, lies inside; `v` points down.
    pub fn covers(self, u: f32, v: f32) -> bool {
        self.distance(u, v) < 0.0
    }

    /// The distance of a point from the outline, negative inside; `v` points down.
    pub(crate) fn distance(self, u: f32, v: f32) -> f32 {
        match self {
            Self::Circle => u.hypot(v) - 0.98,
            Self::Square => u.abs().max(v.abs()) - 0.86,
            Self::Triangle => {
                let v = v - 0.2;
                v.max(u.abs() * (3f32.sqrt() / 2.0) - v * 0.5) - 0.58
            }
            Self::Star => star(u, v),
            Self::Heart => heart(u, v),
            Self::Ring => (u.hypot(v) - 0.75).abs() - 0.24,
            Self::Cross => {
                let (u, v) = (u.abs(), v.abs());
                (u - 0.98).max(v - 0.33).min((u - 0.33).max(v - 0.98))
            }
            Self::Crescent => (u.hypot(v) - 1.0).max(0.8 - (u - 0.5).hypot(v + 0.12)),
        }
    }

    /// Area and centre of gravity, in units of the radius; computed once.
    pub(crate) fn measures(self) -> Measures {
        static ALL: OnceLock<Vec<Measures>> = OnceLock::new();
        let all = ALL.get_or_init(|| Self::ALL.iter().map(|(shape, _)| shape.measured()).collect());
        all.get(self as usize).copied().unwrap_or_else(|| self.measured())
    }

    fn measured(self) -> Measures {
        const STEPS: i32 = 520;
        let at = |step: i32| (step as f32 + 0.5) / STEPS as f32 * 2.6 - 1.3;
        let (mut n_inside, mut u_sum, mut v_sum) = (0u32, 0.0, 0.0);
        for row in 0..STEPS {
            for column in 0..STEPS {
                if self.distance(at(column), at(row)) < 0.0 {
                    n_inside += 1;
                    u_sum += at(column);
                    v_sum += at(row);
                }
            }
        }
        let n = n_inside.max(1) as f32;
        Measures { area: n * (2.6 / STEPS as f32).powi(2), u: u_sum / n, v: v_sum / n }
    }
}

/// See [`Shape::measures`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measures {
    pub(crate) area: f32,
    pub(crate) u: f32,
    pub(crate) v: f32,
}

fn star(u: f32, v: f32) -> f32 {
    const OUTER: f32 = 1.1;
    const INNER: f32 = 0.46;
    let step = PI / 5.0;
    // Every tip is folded onto the one that points up, and its left half onto the right one.
    let angle = (u.atan2(-v) + step).rem_euclid(2.0 * step) - step;
    let length = u.hypot(v);
    let (x, y) = (length * angle.cos(), length * angle.abs().sin());
    let (edge_x, edge_y) = (INNER * step.cos() - OUTER, INNER * step.sin());
    ((x - OUTER) * edge_y - y * edge_x) / edge_x.hypot(edge_y)
}

fn heart(u: f32, v: f32) -> f32 {
    const SCALE: f32 = 0.58;
    let (x, y) = ((u * SCALE).abs(), 0.55 - v * SCALE);
    let distance = if x + y > 1.0 {
        (x - 0.25).hypot(y - 0.75) - 2f32.sqrt() / 4.0
    } else {
        let half = 0.5 * (x + y).max(0.0);
        x.hypot(y - 1.0).min((x - half).hypot(y - half)) * (x - y).signum()
    };
    distance / SCALE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_found_by_its_name() {
        assert!(Shape::ALL.iter().all(|(shape, name)| Shape::named(name) == Some(*shape) && shape.name() == *name));
        assert_eq!(Shape::named("hexagon"), None);
    }

    #[test]
    fn areas_are_those_of_geometry() {
        let area = |shape: Shape| shape.measures().area;
        assert!((area(Shape::Circle) - PI * 0.98f32.powi(2)).abs() < 0.02);
        assert!((area(Shape::Square) - 1.72f32.powi(2)).abs() < 0.02);
        assert!((area(Shape::Ring) - PI * (0.99f32.powi(2) - 0.51f32.powi(2))).abs() < 0.02);
        assert!((area(Shape::Cross) - (2.0 * 1.96 * 0.66 - 0.66f32.powi(2))).abs() < 0.02);
    }

    #[test]
    fn the_star_and_the_triangle_point_up_and_the_heart_down() {
        assert!(Shape::Star.distance(0.0, -1.0) < 0.0 && Shape::Star.distance(0.0, 1.0) > 0.0);
        assert!(Shape::Triangle.distance(0.0, -0.8) < 0.0 && Shape::Triangle.distance(0.5, -0.8) > 0.0);
        assert!(Shape::Heart.distance(0.0, 0.85) < 0.0 && Shape::Heart.distance(0.0, -0.85) > 0.0);
    }
}
