//! How columns become narrower where a terminal is narrower than a table: as libsmartcols(3) of util-linux does it.

/// A column of a table that is too wide.
pub(super) struct Wide {
    index: usize,
    /// How narrow it may become.
    least: usize,
    /// Its cells are cut; else what follows them goes to the next line.
    is_cut: bool,
    /// How wide most cells are, by their mean and standard deviation.
    usual: usize,
    /// How wide nearly all are. The column in which that is the most gives first.
    widest: f64,
    /// The cells differ much in width.
    is_uneven: bool,
}

impl Wide {
    /// A column with cells of these widths.
    pub(super) fn new(index: usize, least: usize, is_cut: bool, cells: &mut dyn Iterator<Item = usize>) -> Wide {
        let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for cell in cells {
            let cell = cell as f64;
            count += 1.0;
            sum += cell;
            squares += cell * cell;
        }
        let mean = sum / f64::max(count, 1.0);
        let deviation = f64::max((squares - mean * sum) / f64::max(count - 1.0, 1.0), 0.0).sqrt();
        let usual = if deviation < 1.0 { usize::MAX } else { (mean + deviation) as usize };
        Wide { index, least, is_cut, usual, widest: mean + 3.0 * deviation, is_uneven: deviation * 2.2 > mean }
    }
}

/// Takes `excess` from the widths of columns, the last of which comes first, or as much of it as they have.
pub(super) fn narrow(columns: &mut [Wide], widths: &mut [usize], mut excess: usize, terminal: usize) {
    // Stable, by insertion: they are few.
    for end in 1..columns.len() {
        let mut place = end;
        while place > 0 && columns.get(place - 1).zip(columns.get(place)).is_some_and(|(a, b)| a.widest < b.widest) {
            columns.swap(place - 1, place);
            place -= 1;
        }
    }
    let mut take = |column: &Wide, from: usize, to: usize, most: usize| {
        let Some(width) = widths.get_mut(column.index).filter(|width| **width >= from) else { return 0 };
        let taken = width.saturating_sub(to.max(column.least)).min(most).min(excess);
        *width -= taken;
        excess -= taken;
        taken
    };
    // What is wider than most of a column: of the first, of those that are not cut, of uneven ones, of all; but one that
    // is cut stays if it has less than a tenth of the terminal.
    for turn in 0..4 {
        for (place, column) in columns.iter().enumerate() {
            let is_meant = match turn {
                0 => place == 0,
                1 => !column.is_cut,
                2 => column.is_uneven,
                _ => true,
            };
            if is_meant {
                take(column, if turn < 2 { 0 } else { terminal / 10 }, column.usual, usize::MAX);
            }
        }
    }
    // Then in turns, first from uneven columns alone. The first gives most.
    for of_all in [false, true] {
        let mut taken = 1;
        while taken > 0 {
            taken = 0;
            for (place, column) in columns.iter().enumerate() {
                if of_all || column.is_uneven {
                    taken += take(column, 0, 0, if place == 0 { 3 } else { 1 });
                }
            }
        }
    }
}
