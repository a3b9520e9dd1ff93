//! Chooses the file systems to show, their order, and each one's parent row.

use super::matching::{Matcher, is_same_path};
use super::options::{Kind, Options};
use super::tables::{Filesystem, Tables};
use cli::columns::Form;
use linux::directory::canonical;
use linux::index::Index;
use linux::mount::listmount;
use linux::mount::mountinfo::Entry;
use linux::mount::utab::Utab;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The rows to show.
#[derive(Default)]
pub struct Chosen {
    /// The index of each file system in the table, and of its parent row.
    pub rows: Vec<(usize, Option<usize>)>,
    /// Whether they are shown as a tree.
    pub is_tree: bool,
    /// Whether having no row is no failure: so it is where the table was gone through as a tree.
    pub may_be_empty: bool,
}

/// Chooses the file systems that the options want. With --uniq what is on one that is left out moves to its parent.
pub fn choose(table: &mut [Filesystem<'_>], kind: Kind, is_kernel: bool, options: &Options) -> Chosen {
    let is_listed = options.list || matches!(options.form, Form::Raw | Form::Pairs) || options.df;
    let is_tree = is_kernel && (options.tree || !is_listed && kind != Kind::Mtab && options.files.len() < 2);
    let is_named =
        options.first_only || options.source.is_some() || options.target.is_some() || options.device.is_some();
    let by_name = is_named && !options.submounts && !options.tree;
    let is_tree = is_tree && !by_name;
    let gone = if options.uniq { leave_last(table) } else { vec![false; table.len()] };
    let table = &*table;
    // A plain list needs no tree, and so no sorting.
    let mounts = Mounts::new(table, gone, is_tree || options.submounts || options.shadowed);
    let shadowed = if options.shadowed { mounts.shadowed() } else { Vec::new() };
    let mut matcher = Matcher::new(options);
    // Where fstab or mtab is asked for, a path that is no mount point of theirs is on none.
    let goes_up = options.is_below && (is_kernel || kind == Kind::Mountinfo);
    if goes_up && !options.invert && (!is_tree || options.submounts) {
        matcher.climb(table);
    }
    let mut chosen = Chosen { rows: Vec::new(), is_tree, may_be_empty: false };
    let wants = |matcher: &Matcher<'_>, place: usize| {
        let is_shadowed = shadowed.get(place).copied().unwrap_or(false);
        table.get(place).is_some_and(|filesystem| matcher.wants(filesystem, is_shadowed))
    };
    if chosen.is_tree && !options.submounts {
        chosen.may_be_empty = !table.is_empty();
        let mut seen = vec![false; table.len()];
        for root in mounts.roots() {
            mounts.descend(root, &mut seen, &mut chosen.rows, &|place| wants(&matcher, place));
        }
        return chosen;
    }
    let mut seen = vec![false; table.len()];
    let is_everything = options.is_everything();
    let mut add = |matcher: &Matcher<'_>, chosen: &mut Chosen| {
        for step in 0..table.len() {
            let place = if options.backward { table.len() - 1 - step } else { step };
            if mounts.is_gone(place) || !(is_everything || wants(matcher, place)) {
                continue;
            }
            if options.submounts && is_kernel {
                mounts.descend(place, &mut seen, &mut chosen.rows, &|_| true);
            } else {
                chosen.rows.push((place, None));
            }
            if options.first_only && options.filter.is_none() {
                return;
            }
        }
    };
    add(&matcher, &mut chosen);
    if matcher.can_swap() && chosen.rows.is_empty() {
        add(&matcher.swapped(), &mut chosen);
    }
    chosen
}

/// The mounts of a table by their parents.
struct Mounts<'t, 'a> {
    table: &'t [Filesystem<'a>],
    /// Which are left out.
    gone: Vec<bool>,
    /// Parent, number and place of each, sorted.
    by_parent: Vec<(u32, u32, usize)>,
    /// The numbers, sorted.
    ids: Vec<u32>,
}

impl<'t, 'a> Mounts<'t, 'a> {
    fn new(table: &'t [Filesystem<'a>], gone: Vec<bool>, is_sorted: bool) -> Mounts<'t, 'a> {
        let mut mounts = Mounts { table, gone, by_parent: Vec::new(), ids: Vec::new() };
        if is_sorted {
            mounts.sort();
        }
        mounts
    }

    fn sort(&mut self) {
        for (place, Filesystem { entry, .. }) in self.table.iter().enumerate() {
            if !self.is_gone(place) {
                self.by_parent.push((entry.parent, entry.id, place));
                self.ids.push(entry.id);
            }
        }
        self.by_parent.sort_unstable();
        self.ids.sort_unstable();
    }

    fn is_gone(&self, place: usize) -> bool {
        self.gone.get(place).copied().unwrap_or(true)
    }

    /// The rows of `by_parent` of the mounts on the one with this number.
    fn children(&self, id: u32) -> &[(u32, u32, usize)] {
        let first = self.by_parent.partition_point(|(parent, ..)| *parent < id);
        let end = self.by_parent.partition_point(|(parent, ..)| *parent <= id);
        self.by_parent.get(first..end).unwrap_or_default()
    }

    /// Whether each has another one over it. A line of fstab or mtab is on no other.
    fn shadowed(&self) -> Vec<bool> {
        let mut shadowed = Vec::with_capacity(self.table.len());
        for filesystem in self.table {
            let target = filesystem.target();
            let mut over = self.children(filesystem.entry.id).iter().filter_map(|(.., place)| self.table.get(*place));
            shadowed.push(filesystem.line.is_none() && over.any(|child| is_same_path(&child.target(), &target)));
        }
        shadowed
    }

    /// The roots of the trees: first the mount whose parent has the lowest number, then those whose parent is not in the
    /// table, then whatever was not reached (a circle).
    fn roots(&self) -> Vec<usize> {
        let is_root = |place: usize| {
            let entry = self.table.get(place).map(|filesystem| &filesystem.entry);
            entry.is_some_and(|entry| entry.id == entry.parent || self.ids.binary_search(&entry.parent).is_err())
        };
        let mut roots = Vec::new();
        let lowest = self.by_parent.iter().map(|(.., place)| *place).find(|place| is_root(*place));
        roots.extend(lowest);
        let there = || (0..self.table.len()).filter(|place| !self.is_gone(*place));
        roots.extend(there().filter(|place| is_root(*place)));
        roots.extend(there());
        roots
    }

    /// Adds the wanted rows of a tree, each below its nearest wanted ancestor.
    fn descend(
        &self,
        root: usize,
        seen: &mut [bool],
        rows: &mut Vec<(usize, Option<usize>)>,
        wants: &dyn Fn(usize) -> bool,
    ) {
        let mut waiting: Vec<(usize, Option<usize>)> = vec![(root, None)];
        while let Some((place, parent)) = waiting.pop() {
            match seen.get_mut(place) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            let mut below = parent;
            if wants(place) {
                below = Some(rows.len());
                rows.push((place, parent));
            }
            let Some(Filesystem { entry: Entry { id, .. }, .. }) = self.table.get(place) else { continue };
            let mut last = None;
            // Of several rows with one number the first counts. Pushed in reverse, since the stack gives the last one first.
            let start = waiting.len();
            for (_, child, place) in self.children(*id) {
                if last != Some(*child) && child != id {
                    waiting.push((*place, below));
                }
                last = Some(*child);
            }
            waiting.get_mut(start..).unwrap_or_default().reverse();
        }
    }
}

/// Keeps only the last of the mounts with one target: whether each is left out. Children of one that goes move to its
/// parent.
fn leave_last(table: &mut [Filesystem<'_>]) -> Vec<bool> {
    // Without the slashes that say nothing.
    let plain = |filesystem: &Filesystem<'_>| {
        let mut target = filesystem.target().into_owned();
        target.dedup_by(|next, byte| (*next, *byte) == (b'/', b'/'));
        target.pop_if(|last| *last == b'/');
        target
    };
    let targets: Vec<Vec<u8>> = table.iter().map(plain).collect();
    let by_target = Index::of(&targets);
    let mut gone = Vec::with_capacity(table.len());
    // Number and place of those that are left out.
    let mut left_out: Vec<(u32, usize)> = Vec::new();
    for (place, (filesystem, target)) in table.iter().zip(&targets).enumerate() {
        let is_same = |other: &usize| targets.get(*other) == Some(target);
        let is_last = by_target.places(target).rev().find(is_same) == Some(place);
        gone.push(!is_last);
        if !is_last {
            left_out.push((filesystem.entry.id, place));
        }
    }
    left_out.sort_unstable();
    let mut passed = Vec::new();
    for place in 0..table.len() {
        let Some(Filesystem { entry: Entry { id, mut parent, .. }, .. }) = table.get(place).copied() else { break };
        for _ in 0..left_out.len() {
            let Ok(found) = left_out.binary_search_by_key(&parent, |(id, _)| *id) else { break };
            let Some((_, place)) = left_out.get(found) else { break };
            let Some(Filesystem { entry: above, .. }) = table.get(*place) else { break };
            passed.push(*place);
            parent = if above.id == above.parent { id } else { above.parent };
        }
        // Those on the way have the same parent, and the next one needs no way: a stack is long.
        passed.push(place);
        for place in passed.drain(..) {
            if let Some(Filesystem { entry, .. }) = table.get_mut(place) {
                entry.parent = if parent == id { entry.id } else { parent };
            }
        }
    }
    gone
}

/// The mounts that a path may mean, queried one by one. `None`: the table must be read.
pub fn looked_up(kind: Kind, options: &Options) -> Option<Tables> {
    let is_plain = kind == Kind::Mountinfo && options.files.is_empty() && !options.as_typed;
    let is_whole = options.submounts || options.invert || options.uniq || options.shadowed || options.tree;
    if !is_plain || is_whole || options.device.is_some() {
        return None;
    }
    let name = options.target.or(options.source)?;
    let path = canonical(name).ok()?;
    if !linux::stat::path(&path).is_ok_and(|stat| stat.is_directory()) {
        return None;
    }
    let mut last: (Vec<u8>, bool) = (Vec::new(), false);
    let mut wanted = |glance: &listmount::Glance<'_>| {
        if is_on_the_way(glance.target, path.as_bytes()) || glance.target == name.as_bytes() {
            return true;
        }
        // An operand that is no target may be the source.
        if options.target.is_some() || glance.source == last.0 {
            return options.target.is_none() && last.1;
        }
        let is_same = is_same_path(glance.source, name.as_bytes())
            || glance.source.first() == Some(&b'/')
                && canonical(OsStr::from_bytes(glance.source)).is_ok_and(|source| source == path);
        last = (glance.source.to_vec(), is_same);
        is_same
    };
    let lines = listmount::lines(Some(&mut wanted))?;
    (!lines.is_doubtful).then(|| {
        let mut tables = Tables::of_lines(lines, Utab::default());
        tables.forget_unique();
        tables
    })
}

/// Whether a mount point is a path or above it.
fn is_on_the_way(target: &[u8], path: &[u8]) -> bool {
    target == b"/" || path.strip_prefix(target).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
}
