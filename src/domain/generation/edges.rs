//! The shape of a chat's tree, and walks through it. Pure: what stands where is read in `store/tree.rs`.

use crate::base::ids::MessageId;
use std::collections::HashMap;

/// Where a message stands.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    pub id: MessageId,
    /// Nothing for what begins the chat.
    pub parent: Option<MessageId>,
    /// The order among what follows the same message.
    pub place: i32,
    pub removed: bool,
}

/// All messages of a chat by where they stand. Walking one level a query would ask every month's partition at every level.
#[derive(Debug, Default)]
pub struct Edges {
    parents: HashMap<MessageId, Option<MessageId>>,
    /// By place and age.
    children: HashMap<MessageId, Vec<Edge>>,
}

impl FromIterator<Edge> for Edges {
    fn from_iter<I: IntoIterator<Item = Edge>>(edges: I) -> Self {
        let mut all = Self::default();
        for edge in edges {
            all.parents.insert(edge.id, edge.parent);
            if let Some(parent) = edge.parent {
                all.children.entry(parent).or_default().push(edge);
            }
        }
        for family in all.children.values_mut() {
            family.sort_by_key(|edge| (edge.place, edge.id));
        }
        all
    }
}

impl Edges {
    /// The end of the path that goes through a message: from it, always the newest that follows and is not removed.
    #[must_use]
    pub fn newest_below(&self, message: MessageId) -> MessageId {
        let mut leaf = message;
        while let Some(next) = self.children.get(&leaf).and_then(|all| all.iter().rev().find(|edge| !edge.removed)) {
            leaf = next.id;
        }
        leaf
    }

    /// A message and everything that follows it, removed or not; nothing before what it follows.
    #[must_use]
    pub fn below(&self, message: MessageId) -> Vec<MessageId> {
        let mut all = vec![message];
        let mut at = 0;
        while let Some(next) = all.get(at) {
            all.extend(self.children.get(next).into_iter().flatten().map(|edge| edge.id));
            at += 1;
        }
        all
    }

    /// How many messages there are on the path to this one, with it; none if it is not in this chat.
    #[must_use]
    pub fn length(&self, leaf: MessageId) -> usize {
        let known = Some(leaf).filter(|leaf| self.parents.contains_key(leaf));
        std::iter::successors(known, |id| *self.parents.get(id)?).count()
    }

    /// The end of a page of so many messages that has `message` on it: the path's own, or, if that is too far, one that
    /// has the message in the middle. Nothing if it is not on the path that ends with `leaf`.
    #[must_use]
    pub fn page_end(&self, leaf: MessageId, message: MessageId, page: usize) -> Option<MessageId> {
        let up = std::iter::successors(Some(leaf), |id| *self.parents.get(id)?);
        let path: Vec<_> = up.take_while(|id| *id != message).collect();
        if self.parents.get(path.last().unwrap_or(&leaf)).is_none_or(|parent| *parent != Some(message))
            && leaf != message
        {
            return None;
        }
        let distance = path.len();
        if distance < page { Some(leaf) } else { path.get(distance - page / 2).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Edge, Edges};
    use crate::base::ids::MessageId;
    use uuid::Uuid;

    fn id(n: u128) -> MessageId {
        MessageId(Uuid::from_u128(n))
    }

    /// `(message, what it follows)`; 0 is nothing.
    fn tree(edges: &[(u128, u128)]) -> Edges {
        let edge = |&(own, parent): &(u128, u128)| Edge {
            id: id(own),
            parent: (parent > 0).then(|| id(parent)),
            place: 0,
            removed: false,
        };
        edges.iter().map(edge).collect()
    }

    /// 1 - 2 - 3 - 4, with 5 - 6 beside 3.
    fn forked() -> Edges {
        tree(&[(1, 0), (2, 1), (3, 2), (4, 3), (5, 2), (6, 5)])
    }

    #[test]
    fn the_newest_path_is_followed() {
        for (from, end) in [(1, 6), (2, 6), (3, 4), (4, 4), (5, 6)] {
            assert_eq!(forked().newest_below(id(from)), id(end), "from {from}");
        }
    }

    #[test]
    fn places_come_before_age_and_what_is_removed_is_passed_over() {
        let edge = |own, place, removed| Edge { id: id(own), parent: Some(id(1)), place, removed };
        let edges: Edges = [edge(2, 1, false), edge(3, 0, false), edge(4, 2, true)].into_iter().collect();
        assert_eq!(edges.newest_below(id(1)), id(2));
        assert_eq!(edges.below(id(1)), [1, 3, 2, 4].map(id));
    }

    #[test]
    fn what_follows_comes_after_what_it_follows() {
        assert_eq!(forked().below(id(2)), [2, 3, 5, 4, 6].map(id));
        assert_eq!(forked().below(id(6)), [id(6)]);
    }

    #[test]
    fn a_path_has_a_length() {
        for (leaf, length) in [(1, 1), (4, 4), (6, 4), (99, 0)] {
            assert_eq!(forked().length(id(leaf)), length, "{leaf}");
        }
    }

    #[test]
    fn a_page_ends_where_its_message_is_in_sight() {
        let line = tree(&(1..=10).map(|n| (n, n - 1)).collect::<Vec<_>>());
        for (message, page, end) in [(10, 4, 10), (7, 4, 10), (6, 4, 8), (1, 4, 3), (1, 10, 10)] {
            assert_eq!(line.page_end(id(10), id(message), page), Some(id(end)), "{message} of pages of {page}");
        }
        assert_eq!(forked().page_end(id(4), id(5), 40), None, "on another path");
        assert_eq!(forked().page_end(id(4), id(99), 40), None, "nowhere");
    }
}
