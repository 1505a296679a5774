//! The pages: HTML for people. One file per screen.

mod chats;
mod entrance;
mod jobs;
mod live;
mod messages;
mod tree;

use super::routes::Routes;

pub fn routes(routes: Routes) -> Routes {
    jobs::routes(tree::routes(messages::routes(chats::routes(entrance::routes(routes)))))
}
