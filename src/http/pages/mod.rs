//! The pages: HTML for people. One file per screen.

mod chats;
mod entrance;
mod jobs;
mod live;
mod messages;
mod search;
mod shelves;
mod tree;

use super::routes::Routes;

pub fn routes(routes: Routes) -> Routes {
    let routes = tree::routes(messages::routes(chats::routes(entrance::routes(routes))));
    search::routes(shelves::routes(jobs::routes(routes)))
}
