//! The pages: HTML for people. One file per screen.

mod chats;
mod entrance;
mod export;
mod import;
mod jobs;
mod live;
mod messages;
mod prompts;
mod search;
mod settings;
mod shelves;
mod tree;

use super::routes::Routes;

pub fn routes(routes: Routes) -> Routes {
    let routes = tree::routes(messages::routes(chats::routes(entrance::routes(routes))));
    let routes = search::routes(shelves::routes(jobs::routes(routes)));
    import::routes(prompts::routes(settings::routes(export::routes(routes))))
}
