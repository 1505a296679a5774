//! The pages: HTML for people. One file per screen.

mod chats;
mod entrance;
mod live;
mod messages;

use super::routes::Routes;

pub fn routes(routes: Routes) -> Routes {
    messages::routes(chats::routes(entrance::routes(routes)))
}
