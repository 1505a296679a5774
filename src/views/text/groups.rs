//! The words about groups.

pub const GROUPS: &str = "Groups";
pub const GROUPS_LEAD: &str =
    "People who have a budget together, or models of their own. A budget of a group holds beside each person's own.";
pub const GROUPS_NONE: &str = "There is no group yet.";
pub const GROUP_NEW: &str = "New group";
pub const GROUP_MAKE: &str = "Make the group";
pub const GROUP_NAME: &str = "Name";
pub const GROUP_MEMBERS: &str = "Members";
pub const GROUP_BUDGET: &str = "Budget of a month";
pub const GROUP_SPENT: &str = "Spent this month";
pub const GROUP_NO_BUDGET: &str = "no limit";
pub const GROUP_BUDGET_HINT: &str = "Of all members together. Empty: no limit.";
pub const GROUP_BUDGET_WRONG: &str = "A whole number from 1 to 1,000,000, or nothing.";
pub const GROUP_NOBODY: &str = "Nobody is in it yet.";
pub const GROUP_ADD: &str = "Add";
pub const GROUP_ADD_EMAIL: &str = "Address of an account";
pub const GROUP_REMOVE: &str = "Take out";
pub const GROUP_DELETE: &str = "Delete the group";
pub const GROUP_DELETE_LEAD: &str =
    "Its budget goes. Models that only it might ask are open to administrators alone then.";
pub const GROUP_SAVED: &str = "Saved. It holds from now on.";
