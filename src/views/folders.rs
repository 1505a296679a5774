//! The pages of folders: all of them, one with its chats, which one a chat is in, and whether one is to go.

use super::{ChatDay, ChatLine, Me, assets, dom, feed, page, text};
use crate::base::ids::{ChatId, FolderId};

/// A folder to choose, or to go to.
pub struct FolderLink {
    pub id: FolderId,
    pub name: String,
    /// The chat that is moved is in it.
    pub current: bool,
}

/// All folders, and the form for a new one.
#[derive(askama::Template)]
#[template(path = "pages/folders/page.html")]
pub struct FoldersPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub folders: Vec<FolderLink>,
    pub typed: String,
    pub error: Option<String>,
}

/// One folder.
#[derive(askama::Template)]
#[template(path = "pages/folder/page.html")]
pub struct FolderPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub id: FolderId,
    pub name: String,
    pub lines: Vec<ChatLine>,
    pub further: bool,
    pub older: Option<String>,
    /// What is in the form.
    pub typed: String,
    pub opened: bool,
    pub error: Option<String>,
}

/// Whether a folder is to be deleted.
#[derive(askama::Template)]
#[template(path = "pages/folder_delete/page.html")]
pub struct FolderDeletePage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub id: FolderId,
    pub name: String,
}

/// Where a chat is to be, as a page.
#[derive(askama::Template)]
#[template(path = "pages/move/page.html")]
pub struct MovePage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub form: MoveForm,
}

/// The same as it also opens over the list.
#[derive(askama::Template)]
#[template(path = "partials/move.html")]
pub struct MoveForm {
    pub chat: ChatId,
    pub title: String,
    pub folders: Vec<FolderLink>,
    pub typed: String,
    pub error: Option<String>,
}

page!(FoldersPage, FolderPage, FolderDeletePage, MovePage);

impl MoveForm {
    fn is_in_one(&self) -> bool {
        self.folders.iter().any(|folder| folder.current)
    }

    /// Over the list, once more.
    pub fn sheet(&self) -> String {
        feed::partial(dom::MOVE_SHEET, "innerHTML", self)
    }
}
