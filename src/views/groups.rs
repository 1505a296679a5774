//! The administrators' pages of groups.

use super::{ChatDay, Me, assets, dom, page, text};
use crate::base::ids::{GroupId, UserId};

#[derive(askama::Template)]
#[template(path = "pages/groups/page.html")]
pub struct GroupsPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub groups: Vec<GroupLine>,
    /// Of the form of a new one.
    pub form: GroupForm,
}

/// A group in the list.
pub struct GroupLine {
    pub id: GroupId,
    pub name: String,
    pub members: i64,
    /// In words; nothing: no limit.
    pub budget: Option<String>,
    pub spent: String,
}

#[derive(askama::Template)]
#[template(path = "pages/group/page.html")]
pub struct GroupPage {
    pub me: Me,
    pub days: Vec<ChatDay>,
    pub id: GroupId,
    pub title: String,
    pub saved: bool,
    pub form: GroupForm,
    pub members: Vec<GroupMember>,
    /// The address that was typed, and what is wrong with it.
    pub email: String,
    pub email_fault: Option<String>,
}

pub struct GroupMember {
    pub id: UserId,
    pub name: String,
    pub email: String,
}

/// What is said of a group, as it is or as it was typed.
#[derive(Default)]
pub struct GroupForm {
    pub name: String,
    pub budget: String,
    pub currency: String,
    pub errors: Vec<(&'static str, String)>,
}

impl GroupForm {
    fn fault(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|(name, _)| *name == field).map(|(_, words)| words.as_str())
    }
}

page!(GroupsPage, GroupPage);
