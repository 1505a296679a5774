//! The pages: HTML for people. One file per screen.

mod chats;
mod entrance;
mod jobs;
mod live;
mod messages;
mod search;
mod shelves;

use super::routes::Routes;

pub fn routes(routes: Routes) -> Routes {
    let routes = messages::routes(chats::routes(entrance::routes(routes)));
    search::routes(shelves::routes(jobs::routes(routes)))
}
