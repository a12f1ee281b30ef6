//! Sets of pixels of one image.

/// Which pixels belong; beyond its sides none do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mask {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<bool>,
}

impl Mask {
    pub(crate) fn of(width: usize, height: usize, belongs: impl Fn(usize, usize) -> bool) -> Self {
        let pixels = (0..width * height).map(|index| belongs(index % width, index / width)).collect();
        Self { width, height, pixels }
    }

    pub(crate) fn has(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.pixels.get(y * self.width + x).copied().unwrap_or(false)
    }

    pub(crate) fn count(&self) -> usize {
        self.pixels.iter().filter(|&&belongs| belongs).count()
    }

    /// The pixels, row by row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let belonging = self.pixels.iter().enumerate().filter(|&(_, &belongs)| belongs);
        belonging.map(|(index, _)| (index % self.width, index / self.width))
    }

    /// Without the pixels that have one outside among their eight neighbors.
    pub(crate) fn core(&self) -> Self {
        Self::of(self.width, self.height, |x, y| {
            x > 0 && y > 0 && (y - 1..=y + 1).all(|row| (x - 1..=x + 1).all(|column| self.has(column, row)))
        })
    }

    /// With all pixels that are at most `reach` columns and rows away.
    pub(crate) fn grown(&self, reach: usize) -> Self {
        let across =
            Self::of(self.width, self.height, |x, y| (x.saturating_sub(reach)..=x + reach).any(|x| self.has(x, y)));
        Self::of(self.width, self.height, |x, y| (y.saturating_sub(reach)..=y + reach).any(|y| across.has(x, y)))
    }

    /// Whether any pixel belongs to both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.iter().any(|(x, y)| other.has(x, y))
    }
}

/// Areas of equal labels whose pixels touch side by side, largest first, with their labels.
pub(crate) fn areas(labels: &[usize], width: usize) -> Vec<(usize, Mask)> {
    let height = labels.len() / width.max(1);
    let mut unseen = vec![true; labels.len()];
    let mut found = Vec::new();
    for start in 0..labels.len() {
        let Some(&label) = labels.get(start) else { continue };
        if !std::mem::take(&mut unseen[start]) {
            continue;
        }
        let (mut area, mut open) = (vec![false; labels.len()], vec![start]);
        while let Some(index) = open.pop() {
            area[index] = true;
            let (x, y) = (index % width, index / width);
            let beside = [
                (x > 0).then(|| index - 1),
                (x + 1 < width).then_some(index + 1),
                (y > 0).then(|| index - width),
                (y + 1 < height).then_some(index + width),
            ];
            for next in beside.into_iter().flatten() {
                if unseen[next] && labels[next] == label {
                    unseen[next] = false;
                    open.push(next);
                }
            }
        }
        found.push((label, Mask { width, height, pixels: area }));
    }
    found.sort_by_key(|(_, area)| std::cmp::Reverse(area.count()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_one_label_fall_apart_where_they_do_not_touch() {
        let labels = [0, 0, 1, 0, 1, 1, 0, 1, 0];
        let found: Vec<_> = areas(&labels, 3).into_iter().map(|(label, area)| (label, area.count())).collect();
        assert_eq!(found, [(0, 4), (1, 4), (0, 1)]);
    }

    #[test]
    fn the_core_of_a_line_is_empty_and_growing_undoes_it_for_a_square() {
        let line = Mask::of(5, 5, |x, _| x == 2);
        assert_eq!(line.core().count(), 0);
        let square = Mask::of(5, 5, |x, y| (1..4).contains(&x) && (1..4).contains(&y));
        assert_eq!(square.core().count(), 1);
        assert_eq!(square.core().grown(1), square);
    }
}
