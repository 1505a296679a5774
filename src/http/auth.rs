//! Who is asking: axum-login over our accounts, the guard of member routes, and the [`Me`] that handlers take.

use super::{
    Web,
    address::Address,
    respond::Failure,
    sessions::{self, Guest},
};
use crate::{
    app::App,
    base::{
        Error,
        ids::{SessionId, UserId},
        sessions::Store,
    },
    domain::accounts::{self, User, Viewer},
};
use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use axum_login::{AuthManagerLayer, AuthManagerLayerBuilder, AuthUser, AuthnBackend};
use time::UtcOffset;
use tower_sessions::service::SignedCookie;

/// axum-login's view of our accounts.
#[derive(Clone)]
pub struct Accounts(App);

/// What signs somebody in.
pub struct Credentials {
    pub email: String,
    pub password: String,
    pub address: Address,
}

impl AuthUser for User {
    type Id = UserId;

    fn id(&self) -> UserId {
        self.id
    }

    /// A changed password ends every session.
    fn session_auth_hash(&self) -> &[u8] {
        self.password_mark().as_bytes()
    }
}

impl AuthnBackend for Accounts {
    type User = User;
    type Credentials = Credentials;
    type Error = Error;

    async fn authenticate(&self, creds: Credentials) -> Result<Option<User>, Error> {
        accounts::sign_in(&self.0, &creds.email, &creds.password, creds.address.0).await
    }

    async fn get_user(&self, id: &UserId) -> Result<Option<User>, Error> {
        Ok(accounts::get(&self.0.pools.http, *id).await?)
    }
}

pub type Session = axum_login::AuthSession<Accounts>;

/// Sessions and accounts, as one layer.
pub fn layer(app: &App) -> AuthManagerLayer<Accounts, Store, SignedCookie> {
    AuthManagerLayerBuilder::new(Accounts(app.clone()), sessions::layer(app)).build()
}

/// Signs somebody in, under a new session id.
///
/// # Errors
/// The session store's.
pub async fn sign_in(
    app: &App,
    session: &mut Session,
    user: &User,
    remember: bool,
    guest: &Guest,
) -> Result<(), Failure> {
    sessions::begin(app, &session.session, remember).await.map_err(Error::internal)?;
    session.login(user).await.map_err(into_error)?;
    sessions::name(app, &session.session, user.id, guest).await?;
    Ok(())
}

/// An error of axum-login as ours.
pub fn into_error(error: axum_login::Error<Accounts>) -> Error {
    match error {
        axum_login::Error::Backend(error) => error,
        axum_login::Error::Session(error) => Error::Unavailable(error.to_string()),
    }
}

/// The guard of member routes. Runs before any look-up; how the refusal looks is decided with all other errors.
pub async fn require_member(request: Request, next: Next) -> Response {
    match request.extensions().get::<Session>().and_then(|s| s.user.as_ref()) {
        Some(user) if user.now.delete_at.is_some() && !request.uri().path().starts_with(LEAVING) => {
            to_leaving(&request)
        }
        Some(_) => next.run(request).await,
        None => Failure(Error::Unauthenticated).into_response(),
    }
}

/// Where an account that is to be deleted is led, whatever it asks for.
pub const LEAVING: &str = "/settings/delete";

fn to_leaving(request: &Request) -> Response {
    if wants_events(request.uri()) {
        Failure(Error::NotFound).into_response()
    } else if wants_fragment(request) {
        [("hx-redirect", LEAVING)].into_response()
    } else {
        Redirect::to(LEAVING).into_response()
    }
}

/// The guard of administrators' routes: before any look-up, like that of members.
pub async fn require_administrator(request: Request, next: Next) -> Response {
    match request.extensions().get::<Session>().and_then(|s| s.user.as_ref()) {
        Some(user) if user.now.delete_at.is_some() => to_leaving(&request),
        Some(user) if user.administrator => next.run(request).await,
        Some(_) => Failure(Error::NotFound).into_response(),
        None => Failure(Error::Unauthenticated).into_response(),
    }
}

/// The sign-in page that leads back to where somebody wanted to go.
pub fn way_in(asked: &str) -> String {
    if asked == "/" { "/login".to_owned() } else { format!("/login?next={}", encode(asked)) }
}

/// Text as a part of an address.
pub fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(byte.into());
        } else {
            write!(out, "%{byte:02X}").expect("a String takes everything");
        }
        out
    })
}

/// A place in this house that `next` may lead to; anything else is the front room.
pub fn safe_next(next: &str) -> &str {
    let inside = next.starts_with('/')
        && !next.starts_with("//")
        && !next.starts_with("/login")
        && !next.contains(['\\', '\r', '\n', '\t']);
    if inside { next } else { "/" }
}

pub fn wants_fragment(request: &Request) -> bool {
    request.headers().contains_key("hx-request")
}

pub fn wants_events(uri: &Uri) -> bool {
    uri.path().ends_with("/feed")
}

/// Whoever is signed in.
pub struct Me(pub Viewer);

impl FromRequestParts<Web> for Me {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Failure> {
        let session = parts.extensions.get::<Session>().ok_or(Error::Unauthenticated)?;
        let Some(user) = session.user.clone() else { return Err(Error::Unauthenticated.into()) };
        let mut session = session.clone();
        let guest = Guest::of(parts);
        let Some(id) = sessions::alive(&web.app, &session.session, &user, &guest).await? else {
            session.logout().await.map_err(into_error)?;
            return Err(Error::Unauthenticated.into());
        };
        parts.extensions.insert(Here(id));
        let address = Address::of(&parts.extensions).0;
        Ok(Self(Viewer { address, zone: zone(&parts.headers), ..Viewer::from(&user) }))
    }
}

/// The reader's clock, by the cookie that a script of ours keeps: minutes that it is ahead of UTC.
fn zone(headers: &HeaderMap) -> UtcOffset {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let minutes = cookies.flat_map(|cookies| cookies.split("; ")).find_map(|cookie| cookie.strip_prefix("zone="));
    let minutes = minutes.and_then(|minutes| minutes.parse::<i16>().ok()).filter(|minutes| minutes.abs() <= 18 * 60);
    minutes.and_then(|minutes| UtcOffset::from_whole_seconds(i32::from(minutes) * 60).ok()).unwrap_or(UtcOffset::UTC)
}

/// The session of this request. Stands behind [`Me`], which finds it.
#[derive(Debug, Clone, Copy)]
pub struct Here(pub SessionId);

impl FromRequestParts<Web> for Here {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Web) -> Result<Self, Failure> {
        parts.extensions.get().copied().ok_or(Failure(Error::Unauthenticated))
    }
}

#[cfg(test)]
mod tests {
    use super::{safe_next, way_in};

    #[test]
    fn next_stays_in_the_house() {
        for (next, to) in [
            ("/chats/1?x=1", "/chats/1?x=1"),
            ("", "/"),
            ("https://evil.example", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/login?next=/login", "/"),
        ] {
            assert_eq!(safe_next(next), to, "{next}");
        }
        assert_eq!(way_in("/chats/1?a=b&c"), "/login?next=/chats/1%3Fa%3Db%26c");
    }
}
