//! Another answer beside an earlier one: asked again from the start, or going on where it was cut. What was said is never
//! overwritten; what stands in line behind the earlier answer follows the new one.

use super::{
    send::{Beginning, Key, Sent, begin},
    state::{MAX_RUNNING, State},
    store::{self, Form, Question, line, sends, tree},
};
use crate::{
    app::App,
    base::{
        Error, Result, crypto,
        ids::{ChatId, MessageId, UserId},
    },
    domain::{
        accounts::Viewer,
        catalog, chats,
        feed::{self, Event, What},
        limits::Purse,
    },
};
use sqlx::PgConnection;

/// Asks again: another answer beside an earlier one, by the same or another model; or a first one to a question that
/// has none.
///
/// # Errors
/// [`Error::Conflict`] for an answer that is in line, or when too many are being made; [`Error::Invalid`] for a model
/// that is not there; [`Error::Limited`]; [`Error::NotFound`].
pub async fn regenerate(
    app: &App,
    viewer: &Viewer,
    answer: MessageId,
    model: Option<&str>,
    key: Option<Key>,
) -> Result<Sent> {
    sibling(app, viewer, answer, model, key, false).await
}

/// Goes on with an answer that was cut: another one beside it that begins with its text.
///
/// # Errors
/// As [`regenerate`]; [`Error::Conflict`] also for an answer that is whole, unfinished, or without text.
pub async fn go_on(
    app: &App,
    viewer: &Viewer,
    answer: MessageId,
    model: Option<&str>,
    key: Option<Key>,
) -> Result<Sent> {
    sibling(app, viewer, answer, model, key, true).await
}

async fn sibling(
    app: &App,
    viewer: &Viewer,
    answer: MessageId,
    model: Option<&str>,
    key: Option<Key>,
    continues: bool,
) -> Result<Sent> {
    let mut tx = app.pools.http.begin().await?;
    let place = chats::store::place(&mut tx, viewer.id, answer).await?.ok_or(Error::NotFound)?;
    // a question that has no answer is asked
    let question = if place.by_model { place.parent } else { Some(answer).filter(|_| !continues) };
    let question = question.ok_or(Error::NotFound)?;
    let from = feed::lock(&mut tx, place.chat).await?.ok_or(Error::NotFound)?;
    let verb = if continues { "continue" } else { "again" };
    let body_hash = crypto::sha256(format!("{verb}\n{answer}\n{model:?}").as_bytes());
    if let Some(key) = key
        && let Some(before) = sends::taken(&mut tx, viewer.id, key, &body_hash).await?
    {
        return Ok(before);
    }
    if !place.by_model && tree::edges(&mut tx, place.chat).await?.newest_below(answer) != answer {
        return Err(Error::Conflict("This message has an answer already. Ask for another one there.".into()));
    }
    let chat = chats::find(&mut tx, viewer, place.chat).await?;
    let prefix = if continues { cut_text(&mut tx, place.chat, answer).await? } else { String::new() };
    let model = model.filter(|m| !m.is_empty()).map(str::to_owned).or(chat.model).unwrap_or_default();
    catalog::require(app, &mut tx, viewer, &model).await?;
    let purse = Purse::paying(app, &mut tx, viewer, &model).await?;
    let form = key.map(|key| Form { key: key.id, body_hash });
    let beside = Beside { answer, question, prefix: &prefix, show: true, purse: Some(&purse), form };
    let (sent, events) = beside.begin(&mut tx, place.chat, viewer.id, &model, from).await?;
    tx.commit().await?;
    app.feed.hub.deliver(place.chat, events);
    Ok(sent)
}

/// The text to go on from.
async fn cut_text(tx: &mut PgConnection, chat: ChatId, answer: MessageId) -> Result<String> {
    let told = chats::store::told(tx, chat, answer).await?.ok_or(Error::NotFound)?;
    let cut = match State::parse(&told.state) {
        State::Interrupted | State::Stopped => true,
        State::Completed => told.reason.is_some(),
        _ => false,
    };
    if !cut || told.text.is_empty() {
        return Err(Error::Conflict("This answer was not cut, so there is nothing to go on with.".into()));
    }
    Ok(told.text)
}

/// The earlier answer, and what the new one has from it.
pub(super) struct Beside<'a> {
    pub answer: MessageId,
    pub question: MessageId,
    pub prefix: &'a str,
    /// The new answer is to be on the shown path.
    pub show: bool,
    /// See [`Beginning`].
    pub purse: Option<&'a Purse>,
    pub form: Option<Form>,
}

impl Beside<'_> {
    /// Begins the new answer. The chat's head is locked; `from` is its position.
    pub async fn begin(
        &self,
        tx: &mut PgConnection,
        chat: ChatId,
        user: UserId,
        model: &str,
        from: i64,
    ) -> Result<(Sent, Vec<Event>)> {
        let earlier = line::state_of(tx, self.answer).await?;
        if earlier == Some(State::Lined) {
            return Err(Error::Conflict("This message is still waiting in line. Send or remove it.".into()));
        }
        if store::load(tx, chat, None).await?.running >= MAX_RUNNING {
            return Err(super::line::too_many_running());
        }
        let prefix = self.prefix.len();
        let beginning = Beginning {
            chat,
            user,
            purse: self.purse,
            question: Question::Stands(self.question),
            model,
            from,
            after: None,
            prefix,
            place: store::next_place(tx, chat, self.question).await?,
            // with what is in line behind it
            show: false,
            lease: None,
            form: self.form,
        };
        let sent = begin(tx, &beginning).await?.sent;
        store::dead::lay_to_rest(tx, self.answer).await?;
        if earlier.is_some_and(State::is_over) {
            line::follow(tx, chat, self.answer, sent.answer).await?;
        }
        if self.show {
            let leaf = line::last(tx, chat, sent.answer).await?;
            chats::store::show(tx, chat, leaf, model).await?;
        }
        let mut news = vec![(sent.answer, What::Turn { question: None, parent: Some(self.question), asked: None })];
        if !self.prefix.is_empty() {
            news.push((sent.answer, What::Text { offset: 0, text: self.prefix.into() }));
        }
        let events = feed::append(tx, chat, &news).await?;
        Ok((sent, events))
    }
}
