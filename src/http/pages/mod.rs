//! The pages: HTML for people. One file per screen.

mod account;
mod admin;
mod chats;
mod context;
mod data;
mod email;
mod entrance;
mod export;
mod files;
mod folders;
mod groups;
mod import;
mod invitations;
mod jobs;
mod keys;
mod leaving;
mod limits;
mod live;
mod messages;
mod models;
mod outbox;
mod password;
mod prompts;
mod provider;
mod providers;
mod ratings;
mod search;
mod settings;
mod shelves;
mod tree;
mod usage;

use super::routes::Routes;

pub fn routes(routes: Routes) -> Routes {
    let routes = ratings::routes(tree::routes(messages::routes(chats::routes(entrance::routes(routes)))));
    let routes = search::routes(folders::routes(shelves::routes(jobs::routes(admin::routes(routes)))));
    let routes = usage::routes(routes);
    let routes = providers::routes(models::routes(context::routes(groups::routes(limits::routes(routes)))));
    let routes = provider::routes(files::routes(keys::routes(routes)));
    let routes = outbox::routes(invitations::routes(email::routes(password::routes(routes))));
    let routes = import::routes(prompts::routes(settings::routes(export::routes(routes))));
    data::routes(leaving::routes(account::routes(routes)))
}
