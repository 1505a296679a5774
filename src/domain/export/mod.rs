//! A chat to take away: the shown path, or the whole tree, a bounded piece at a time. What must not live here: how
//! Markdown looks (views/), headers (http/).

pub mod form;
mod store;

use crate::{
    app::App,
    base::{
        Error, Result,
        ids::{ChatId, MessageId},
    },
    domain::{
        accounts::Viewer,
        files,
        generation::{self, Rating, Shown},
    },
};
use std::collections::{HashMap, HashSet, VecDeque};
use time::OffsetDateTime;

/// Messages and bytes of text that are read at once.
const PIECE: usize = 100;
const PIECE_BYTES: i64 = 1024 * 1024;

/// Which messages are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The shown path.
    Path,
    /// Everything that was ever said.
    Tree,
}

/// What is said of the chat as a whole.
#[derive(Debug, Clone)]
pub struct Head {
    pub id: ChatId,
    pub title: String,
    pub model: Option<String>,
    pub system: String,
    pub temperature: Option<f64>,
    pub leaf: Option<MessageId>,
    pub created_at: OffsetDateTime,
}

/// A message's place in the tree, and how many bytes its texts have.
#[derive(Debug, Clone, Copy)]
struct Node {
    id: MessageId,
    parent: Option<MessageId>,
    place: i32,
    size: i64,
}

/// A message, and its order among its siblings.
pub struct Told {
    pub shown: Shown,
    pub place: i32,
    /// What the reader thinks of it.
    pub rating: Option<Rating>,
    /// Of a whole tree: the bytes of its images, as far as they can be read, by their names.
    pub images: Vec<(String, Vec<u8>)>,
}

/// A chat being read. Only the ids of what is still to come are held.
pub struct Export {
    pub head: Head,
    reader: Viewer,
    extent: Extent,
    rest: VecDeque<Node>,
}

/// Begins to read a viewer's chat.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn begin(app: &App, viewer: &Viewer, chat: ChatId, extent: Extent) -> Result<Export> {
    let mut conn = app.pools.http.acquire().await?;
    let head = store::head(&mut conn, viewer.id, chat).await?.ok_or(Error::NotFound)?;
    let nodes = store::nodes(&mut conn, chat).await?;
    let rest = match extent {
        Extent::Path => path(&nodes, head.leaf),
        Extent::Tree => parents_first(&nodes),
    };
    Ok(Export { head, reader: viewer.clone(), extent, rest: rest.into() })
}

impl Export {
    /// The next messages, parents before what follows them, siblings in their order; nothing at the end. What was
    /// removed meanwhile is missing with all that followed it.
    ///
    /// # Errors
    /// The database's.
    pub async fn next(&mut self, app: &App) -> Result<Option<Vec<Told>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (mut places, mut ids, mut bytes) = (HashMap::new(), Vec::new(), 0);
        while let Some(node) = self.rest.front() {
            if !ids.is_empty() && (ids.len() == PIECE || bytes + node.size > PIECE_BYTES) {
                break;
            }
            bytes += node.size;
            places.insert(node.id, node.place);
            ids.push(node.id);
            self.rest.pop_front();
        }
        let shown = generation::shown(app, self.head.id, &ids).await?;
        let mut conn = app.pools.http.acquire().await?;
        let mut ratings = generation::ratings(&mut conn, self.reader.id, self.head.id, &ids).await?;
        drop(conn);
        let mut told = Vec::with_capacity(shown.len());
        for shown in shown {
            let images = match self.extent {
                Extent::Path => Vec::new(),
                Extent::Tree => self.images(app, &shown).await,
            };
            let (place, rating) = (places.get(&shown.id).copied().unwrap_or(0), ratings.remove(&shown.id));
            told.push(Told { shown, place, rating, images });
        }
        Ok(Some(told))
    }

    async fn images(&self, app: &App, shown: &Shown) -> Vec<(String, Vec<u8>)> {
        let mut images = Vec::new();
        for file in &shown.images {
            match files::view(app, &self.reader, file.id).await {
                Ok(content) => images.push((content.name, content.bytes)),
                Err(error) => tracing::error!(%error, file = %file.id, "an image is missing in what is taken away"),
            }
        }
        images
    }
}

/// From the root to the leaf.
fn path(nodes: &[Node], leaf: Option<MessageId>) -> Vec<Node> {
    let by_id: HashMap<MessageId, Node> = nodes.iter().map(|node| (node.id, *node)).collect();
    let mut path: Vec<Node> =
        std::iter::successors(leaf.and_then(|leaf| by_id.get(&leaf)), |node| by_id.get(&node.parent?))
            .copied()
            .collect();
    path.reverse();
    path
}

/// Each before what follows it, and what follows it before its next sibling.
fn parents_first(nodes: &[Node]) -> Vec<Node> {
    let mut children: HashMap<Option<MessageId>, Vec<Node>> = HashMap::new();
    for node in nodes {
        children.entry(node.parent).or_default().push(*node);
    }
    for siblings in children.values_mut() {
        siblings.sort_by_key(|node| std::cmp::Reverse((node.place, node.id.0)));
    }
    let mut waiting = children.remove(&None).unwrap_or_default();
    let mut order = Vec::with_capacity(nodes.len());
    let mut seen = HashSet::new();
    while let Some(node) = waiting.pop() {
        if seen.insert(node.id) {
            waiting.extend(children.remove(&Some(node.id)).unwrap_or_default());
            order.push(node);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::{MessageId, Node, parents_first, path};
    use uuid::Uuid;

    fn id(number: u128) -> MessageId {
        MessageId(Uuid::from_u128(number))
    }

    #[test]
    fn orders() {
        let node = |n, parent: Option<u128>, place| Node { id: id(n), parent: parent.map(id), place, size: 0 };
        // 1 ─ 4 ─ 2, and 3 beside 4
        let nodes = [node(3, Some(1), 0), node(2, Some(4), 0), node(4, Some(1), 1), node(1, None, 0)];
        let ids = |nodes: Vec<Node>| nodes.iter().map(|n| n.id.0.as_u128()).collect::<Vec<_>>();
        assert_eq!(ids(parents_first(&nodes)), [1, 3, 4, 2]);
        assert_eq!(ids(path(&nodes, Some(id(2)))), [1, 4, 2]);
        assert_eq!(ids(path(&nodes, None)), [0; 0]);
    }
}
