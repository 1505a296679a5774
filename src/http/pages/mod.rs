//! The pages: HTML for people. One file per screen.

mod chats;
mod entrance;
mod jobs;
mod live;
mod messages;

use super::routes::Routes;

pub fn routes(routes: Routes) -> Routes {
    jobs::routes(messages::routes(chats::routes(entrance::routes(routes))))
}
