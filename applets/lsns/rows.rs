//! The rows of lsns(8): namespaces, or the processes of one.

use super::options::{Options, Tree};
use super::survey::{Member, Namespace, Survey};
use cli::columns::Cell;
use cli::columns::filter::{Filter, wrong_filter};
use cli::{Failure, text};
use linux::credentials::Uid;
use linux::{accounts, processes};

/// The cells of all rows, and the parent row of each.
type Rows = (Vec<Cell>, Vec<Option<usize>>);

/// The rows of the processes of the namespace `one`, or of the namespaces that the options select.
pub fn make(
    survey: &Survey,
    options: &Options,
    one: Option<u64>,
    fields: &[usize],
    filter: Option<&Filter>,
) -> Result<Rows, Failure> {
    let (cells, parents, kept) = (Vec::new(), Vec::new(), Vec::new());
    let (users, at, wrong) = (Vec::new(), Vec::new(), None);
    let mut making = Making { survey, options, fields, filter, users, cells, parents, kept, wrong, at };
    if let Some(id) = one {
        let found = survey.get(id).ok_or_else(|| cli::fail!(1, "not found namespace: ", id))?;
        for member in &survey.members {
            let parent = survey.members.binary_search_by_key(&member.parent, |member| member.pid);
            making.row(found, Some(member), parent.ok());
        }
        return making.chosen();
    }
    making.at.resize(survey.namespaces.len(), None);
    for (place, namespace) in survey.namespaces.iter().enumerate() {
        if (options.task.is_none() || survey.task.contains(&namespace.id))
            && !(options.persistent && namespace.count > 0)
        {
            making.add(place);
        }
    }
    making.chosen()
}

struct Making<'a> {
    survey: &'a Survey,
    options: &'a Options,
    fields: &'a [usize],
    filter: Option<&'a Filter>,
    /// The names of users that were looked up already.
    users: Vec<(Uid, Vec<u8>)>,
    cells: Vec<Cell>,
    parents: Vec<Option<usize>>,
    /// For each row its place among those that the filter leaves.
    kept: Vec<Option<usize>>,
    /// The first thing that the filter could not be applied to.
    wrong: Option<Failure>,
    /// The row of each namespace.
    at: Vec<Option<usize>>,
}

impl Making<'_> {
    /// What the filter leaves. A row that hangs from one that it takes away hangs from none.
    fn chosen(self) -> Result<Rows, Failure> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let mut parents = Vec::new();
        for (kept, parent) in self.kept.iter().zip(&self.parents) {
            if kept.is_some() {
                parents.push(parent.and_then(|parent| self.kept.get(parent).copied().flatten()));
            }
        }
        Ok((self.cells, parents))
    }

    /// Adds the row of a namespace, after those of its ancestors.
    fn add(&mut self, place: usize) {
        let mut waiting = vec![place];
        while let Some(place) = waiting.last().copied() {
            let survey = self.survey;
            let Some(namespace) = survey.namespaces.get(place).filter(|_| self.row_of(Some(place)).is_none()) else {
                waiting.pop();
                continue;
            };
            let (owner, parent) = (survey.find(namespace.owner).ok(), survey.find(namespace.parent).ok());
            let above = match self.options.tree {
                None | Some(Tree::Processes) => self.last_of_parent(namespace),
                Some(tree) => {
                    let drawn = if tree == Tree::Parent { parent } else { owner };
                    // Parent and owner come first, whichever of them the tree is made of; of one task's there is only the
                    // one that they hang from.
                    let above = if self.options.task.is_some() { [drawn, None] } else { [parent, owner] };
                    let missing = above.into_iter().flatten().rfind(|other| self.row_of(Some(*other)).is_none());
                    // Not one that is on its way already: namespaces that end while they are read could make a circle.
                    if let Some(missing) = missing.filter(|missing| !waiting.contains(missing)) {
                        waiting.push(missing);
                        continue;
                    }
                    self.row_of(drawn)
                }
            };
            waiting.pop();
            if let Some(row) = self.at.get_mut(place) {
                *row = Some(self.parents.len());
            }
            self.row(namespace, namespace.first.as_ref(), above);
        }
    }

    fn row_of(&self, place: Option<usize>) -> Option<usize> {
        self.at.get(place?).copied().flatten()
    }

    /// The last row so far whose process is the parent of this namespace's process, and that the filter leaves.
    fn last_of_parent(&self, namespace: &Namespace) -> Option<usize> {
        let parent = namespace.first?.parent;
        let mut last = None;
        for (other, row) in self.survey.namespaces.iter().zip(&self.at) {
            if other.first.is_some_and(|first| first.pid == parent) {
                last = last.max(row.filter(|row| self.kept.get(*row).is_some_and(Option::is_some)));
            }
        }
        last
    }

    fn row(&mut self, namespace: &Namespace, process: Option<&Member>, parent: Option<usize>) {
        self.parents.push(parent);
        let accepted = self.filter.map(|filter| filter.accepts(&mut |field| self.cell(field, namespace, process)));
        let is_kept = match accepted {
            None => true,
            Some(Ok(is_kept)) => is_kept,
            Some(Err(line)) => {
                self.wrong.get_or_insert_with(|| wrong_filter(line));
                false
            }
        };
        let before = self.cells.len() / self.fields.len().max(1);
        self.kept.push(is_kept.then_some(before));
        if !is_kept {
            return;
        }
        for field in self.fields {
            let cell = self.cell(*field, namespace, process);
            self.cells.push(cell);
        }
    }

    /// The cell of a field, an index into [`super::options::COLUMNS`].
    fn cell(&mut self, field: usize, namespace: &Namespace, process: Option<&Member>) -> Cell {
        let uid = process.map_or(namespace.uid, |process| process.uid);
        let kind = namespace.kind.file();
        let number = match field {
            0 => namespace.id,
            1 => return Some(kind.into()),
            2 => return Some(text!["/proc/", process?.pid, "/ns/", kind]),
            3 => u64::from(namespace.count),
            4 => u64::from(process?.pid.0.unsigned_abs()),
            5 => u64::from(process?.parent.0.unsigned_abs()),
            6 => return Some(processes::command(process?.pid)),
            7 => u64::from(uid.0),
            8 => return Some(self.user(uid)),
            9 => match namespace.net_id? {
                None => return Some("unassigned".into()),
                Some(id) => u64::from(id),
            },
            10 if namespace.mounts.is_empty() => return None,
            10 => return Some(namespace.mounts.clone()),
            11 => namespace.parent,
            _ => namespace.owner,
        };
        Some(text![number])
    }

    fn user(&mut self, uid: Uid) -> Vec<u8> {
        if let Some((_, name)) = self.users.iter().find(|(known, _)| *known == uid) {
            return name.clone();
        }
        let name = accounts::passwd_by_uid(uid).map_or_else(|| text![uid], |user| user.name.into_encoded_bytes());
        self.users.push((uid, name.clone()));
        name
    }
}
