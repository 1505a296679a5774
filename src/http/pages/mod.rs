//! The pages: HTML for people. One file per screen.

mod chats;
mod entrance;
mod export;
mod import;
mod jobs;
mod live;
mod messages;
mod prompts;
mod settings;

use super::routes::Routes;

pub fn routes(routes: Routes) -> Routes {
    let routes = messages::routes(chats::routes(entrance::routes(routes)));
    import::routes(prompts::routes(settings::routes(export::routes(jobs::routes(routes)))))
}
