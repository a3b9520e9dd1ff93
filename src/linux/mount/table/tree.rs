//! The tree of mounts: which lie on which, in the order to unmount them.

use crate::Errno;
use crate::mount::mountinfo::Entry;

/// Mounts sorted by number and by parent, to look many trees up.
pub struct Tree<'t, 'a> {
    entries: &'t [Entry<'a>],
    by_id: Vec<(u32, usize)>,
    by_parent: Vec<(u32, usize)>,
}

impl<'t, 'a> Tree<'t, 'a> {
    /// Sorts them.
    pub fn new(entries: &'t [Entry<'a>]) -> Tree<'t, 'a> {
        let mut by_id: Vec<(u32, usize)> = Vec::with_capacity(entries.len());
        let mut by_parent: Vec<(u32, usize)> = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            by_id.push((entry.id, index));
            if entry.parent != entry.id {
                by_parent.push((entry.parent, index));
            }
        }
        by_id.sort_unstable();
        by_parent.sort_unstable();
        Tree { entries, by_id, by_parent }
    }

    /// The mount with this number.
    pub fn get(&self, id: u32) -> Option<&Entry<'a>> {
        self.entries.get(self.place(id)?)
    }

    /// The children of the mount with this number, in the entries' order: pairs of the parent's number and the child's
    /// index.
    pub fn on(&self, id: u32) -> &[(u32, usize)] {
        let first = self.by_parent.partition_point(|(parent, _)| *parent < id);
        let children = self.by_parent.get(first..).unwrap_or_default();
        let count = children.iter().take_while(|(parent, _)| *parent == id).count();
        children.get(..count).unwrap_or_default()
    }

    /// Its place among the entries.
    fn place(&self, id: u32) -> Option<usize> {
        let found = self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.by_id.get(found).map(|(_, place)| *place)
    }

    /// As [`tree_backward`], leaving out the mounts marked in `gone` (by index) and everything below them.
    pub fn backward(&self, top: u32, gone: &[bool]) -> Result<Vec<Entry<'a>>, Errno> {
        backward(self, top, gone)
    }
}

/// The mounts of the tree below `top`, in the order to unmount them: each after everything that covers it, later
/// mounts before earlier ones, `top` itself last. ENOENT: there is no such mount.
///
/// ```
/// use linux::mount::table::{Table, tree_backward};
/// let table = Table::from_text(b"2 1 0:1 / / rw - a a rw\n3 2 0:2 / /b rw - b b rw\n".to_vec());
/// let entries: Vec<_> = table.entries().collect();
/// let order: Vec<u32> = tree_backward(&entries, 2)?.iter().map(|entry| entry.id).collect();
/// assert_eq!(order, [3, 2]);
/// # Ok::<(), linux::Errno>(())
/// ```
pub fn tree_backward<'a>(entries: &[Entry<'a>], top: u32) -> Result<Vec<Entry<'a>>, Errno> {
    Tree::new(entries).backward(top, &[])
}

fn backward<'a>(tree: &Tree<'_, 'a>, top: u32, gone: &[bool]) -> Result<Vec<Entry<'a>>, Errno> {
    let entries = tree.entries;
    let root = tree.place(top).ok_or(Errno::ENOENT)?;
    // Parents before children, earlier before later. Reversed, each mount comes after everything mounted on it.
    let mut order = Vec::new();
    let mut waiting = vec![root];
    while let Some(index) = waiting.pop() {
        let Some(entry) = entries.get(index) else { continue };
        order.push(*entry);
        if order.len() > entries.len() {
            return Err(Errno::EINVAL);
        }
        let children = tree.on(entry.id).iter().map(|(_, index)| *index);
        let start = waiting.len();
        waiting.extend(children.filter(|index| gone.get(*index) != Some(&true)));
        if let Some(new) = waiting.get_mut(start..) {
            // A child on the mount's own root covers the mount's other children, so it is unmounted before them: visit
            // it last.
            new.sort_unstable_by_key(|index| {
                let over = entries.get(*index).is_some_and(|child| child.target == entry.target);
                (!over, core::cmp::Reverse(*index))
            });
        }
    }
    order.reverse();
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mount::table::Table;

    #[test]
    fn a_tree_is_unmounted_from_its_leaves_and_from_the_top_of_each_stack() {
        let table = Table::from_text(
            b"1 0 0:1 / / rw - ext4 r rw\n2 1 0:2 / /m rw - tmpfs a rw\n3 2 0:3 / /m/x rw - tmpfs b rw\n\
              4 2 0:4 / /m/y rw - tmpfs c rw\n5 3 0:5 / /m/x rw - tmpfs d rw\n6 2 0:6 / /m rw - tmpfs e rw\n"
                .to_vec(),
        );
        let entries: Vec<_> = table.entries().collect();
        let order: Vec<u32> = tree_backward(&entries, 2).expect("a tree").iter().map(|entry| entry.id).collect();
        assert_eq!(order, [6, 4, 5, 3, 2]);
        assert_eq!(tree_backward(&entries, 9), Err(Errno::ENOENT));
    }

    #[test]
    fn a_table_that_goes_in_a_circle_is_refused() {
        let table = Table::from_text(b"1 2 0:1 / /a rw - ext4 r rw\n2 1 0:2 / /b rw - tmpfs a rw\n".to_vec());
        let entries: Vec<_> = table.entries().collect();
        assert_eq!(tree_backward(&entries, 1), Err(Errno::EINVAL));
    }
}
