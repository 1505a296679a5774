//! From the product's data to the inputs of views: messages, the composer; the list is list.rs.

mod list;

pub use list::{days, grown_days, more_days};

use crate::{
    app::App,
    base::{
        Result,
        error::Allowance,
        ids::{ChatId, FileId, MessageId},
    },
    domain::{
        accounts::Viewer,
        catalog::{self, Model, Price},
        files::{self, Attached},
        generation::{self, Shown, State},
        limits, own,
    },
    markdown,
    outside::llm::Facts,
    views::{Composer, Held, Image, Left, Me, Message, MessageState, ModelChoice, Rated, Versions, text},
};
use tokio::time::Instant;
use uuid::Uuid;

pub fn me(viewer: &Viewer) -> Me {
    Me {
        name: viewer.name.clone(),
        admin: viewer.administrator,
        theme: viewer.theme.name(),
        letters: own::letters(viewer.serif),
    }
}

/// A message as it stands. A running answer shows what its readers have of it.
pub fn message(shown: &Shown) -> Message {
    let html = match (&shown.html, shown.by_model) {
        (Some(html), _) => html.clone(),
        (None, false) => markdown::plain(&shown.text),
        (None, true) => snapshot(shown),
    };
    let state = match shown.state {
        None if shown.by_model => MessageState::Completed,
        None => MessageState::Sent,
        Some(State::Lined) => MessageState::Lined(shown.before.and_then(held)),
        Some(State::Waiting) => MessageState::Waiting { seconds: shown.due.map_or(0, seconds_until) },
        Some(State::Queued) => MessageState::Queued,
        Some(State::Streaming) => MessageState::Streaming,
        Some(State::Completed) => MessageState::Completed,
        Some(State::Stopped) => MessageState::Stopped,
        Some(State::Interrupted) => MessageState::Interrupted,
        Some(State::Failed) => MessageState::Failed,
    };
    let running = shown.state.is_some_and(|state| !state.is_over());
    Message {
        id: shown.id,
        chat: shown.chat,
        parent: shown.parent,
        mine: !shown.by_model,
        html,
        images: shown.images.iter().map(image).collect(),
        reasoning: shown.reasoning.clone(),
        reasoning_seconds: shown.thought.filter(|_| !running).map(whole_seconds),
        state,
        reason: shown.reason.clone(),
        model: shown.model.clone(),
        tokens: shown.tokens,
        source: (!running && !shown.text.is_empty()).then(|| shown.text.clone()),
        versions: shown.siblings.map(|s| Versions {
            place: s.place,
            count: s.count,
            previous: s.previous,
            next: s.next,
        }),
        unanswered: false,
        rating: shown.rating.as_ref().map(|rating| Rated { liked: rating.liked, noted: !rating.note.is_empty() }),
    }
}

/// An image as pages show it.
pub fn image(file: &Attached) -> Image {
    Image { id: file.id, name: file.name.clone(), width: file.width, height: file.height }
}

/// Why the line does not go on, if it does not.
pub fn held(before: State) -> Option<Held> {
    match before {
        State::Failed => Some(Held::Failed),
        State::Interrupted => Some(Held::Interrupted),
        State::Waiting => Some(Held::Waiting),
        _ => None,
    }
}

/// Whole seconds, the begun one included.
fn seconds_until(due: Instant) -> u64 {
    let left = due.saturating_duration_since(Instant::now());
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

/// At least one: "thought for 0 s" says nothing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn whole_seconds(seconds: f64) -> u32 {
    seconds.round().clamp(1., 1e6) as u32
}

fn snapshot(shown: &Shown) -> String {
    let mut stream = markdown::Stream::new(&shown.id.to_string());
    stream.push(&shown.text, std::time::Duration::ZERO);
    stream.snapshot()
}

/// Where a composer stands and what it begins with.
#[derive(Default)]
pub struct Composing {
    pub chat: Option<ChatId>,
    /// The end of the path that it goes on from.
    pub leaf: Option<MessageId>,
    /// `provider/name`; without one, the model that was asked last anywhere.
    pub model: Option<String>,
    pub text: String,
    /// Images that go along.
    pub files: Vec<FileId>,
    pub error: Option<String>,
    pub answering: Option<MessageId>,
    /// What may still be sent; looked up if it is not known.
    pub allowance: Option<Allowance>,
}

/// The models to pick from; one is chosen, the wanted one if it is there.
pub async fn models(app: &App, viewer: &Viewer, wanted: Option<String>) -> Result<Vec<ModelChoice>> {
    Ok(one_chosen(app, &catalog::models(app, viewer).await?, wanted.as_deref()))
}

fn one_chosen(app: &App, known: &[Model], wanted: Option<&str>) -> Vec<ModelChoice> {
    let mut models = choices(app, known, wanted);
    if !models.iter().any(|model| model.chosen)
        && let Some(first) = models.first_mut()
    {
        first.chosen = true;
    }
    models
}

pub async fn composer(app: &App, viewer: &Viewer, at: Composing) -> Result<Composer> {
    let known = catalog::models(app, viewer).await?;
    let wanted = match at.model {
        Some(model) => Some(model),
        None => new_chats_model(app, viewer, &known).await?,
    };
    let models = one_chosen(app, &known, wanted.as_deref());
    let no_models = models.is_empty().then(|| {
        let names: Vec<_> = app.providers().iter().map(|p| p.name.clone()).collect();
        text::no_models(&names.join(", "), app.config.catalog.retry)
    });
    let allowance = match at.allowance {
        Some(known) => Some(known),
        None => limits::left(app, viewer).await?,
    };
    let files = files::own(app, viewer, &at.files).await?;
    let quota = quota(app, viewer, &known, allowance).await?;
    Ok(Composer {
        action: at.chat.map_or_else(|| "/chats".to_owned(), |id| format!("/chats/{id}/messages")),
        prompts: at.chat.map_or_else(|| "/prompts".to_owned(), |id| format!("/prompts?chat={id}")),
        context: at.chat.map(|id| format!("/chats/{id}/context")),
        key: Uuid::now_v7().to_string(),
        parent: at.leaf,
        attach: attach(at.chat, &files),
        files: files.iter().map(image).collect(),
        max_mb: app.config.files.max_mb,
        models,
        quota,
        no_models,
        text: at.text,
        error: at.error,
        max_chars: generation::max_chars(app, viewer),
        answering: at.answering,
        focus: true,
        left: allowance.and_then(left),
    })
}

/// The page that adds an image to those that are there.
fn attach(chat: Option<ChatId>, files: &[Attached]) -> String {
    let ids: Vec<_> = files.iter().map(|file| file.id.to_string()).collect();
    let chat = chat.map(|chat| format!("chat={chat}"));
    let files = (!ids.is_empty()).then(|| format!("file={}", ids.join(",")));
    let query: Vec<_> = chat.into_iter().chain(files).collect();
    if query.is_empty() { "/files/new".to_owned() } else { format!("/files/new?{}", query.join("&")) }
}

/// What is left of messages, and, where models have a price, of the budget that has least.
async fn quota(app: &App, viewer: &Viewer, known: &[Model], allowance: Option<Allowance>) -> Result<Option<String>> {
    let messages = allowance.map(|Allowance { most, left, period, .. }| text::messages_left(left, most, period > 60));
    let budgets = if known.iter().any(|model| model.facts.price.is_some()) {
        limits::budgets(app, viewer).await?
    } else {
        Vec::new()
    };
    let money = budgets.iter().map(|budget| (budget.most - budget.spent - budget.reserved).max(0)).min();
    let money = money.map(|left| text::money_left(left, &app.config.catalog.currency));
    let parts: Vec<_> = messages.into_iter().chain(money).collect();
    Ok((!parts.is_empty()).then(|| parts.join(" · ")))
}

/// A limit is shown before it hurts, and not before four fifths of it are used.
fn left(Allowance { most, left, period, .. }: Allowance) -> Option<Left> {
    (left * 5 <= most).then_some(Left { left, most, a_day: period > 60 })
}

/// What a new chat begins with: one's own choice if it can be asked, else the model asked last.
async fn new_chats_model(app: &App, viewer: &Viewer, known: &[Model]) -> Result<Option<String>> {
    let own = own::default_model(app, viewer.id).await?;
    match own.filter(|own| known.iter().any(|model| model.id() == *own)) {
        Some(own) => Ok(Some(own)),
        None => catalog::last_used(app, viewer.id).await,
    }
}

/// Models to pick, with the one that is chosen.
pub fn choices(app: &App, known: &[Model], chosen: Option<&str>) -> Vec<ModelChoice> {
    let choice = |m: &Model| ModelChoice {
        id: m.id(),
        name: m.label().to_owned(),
        about: about(app, &m.facts),
        chosen: Some(m.id().as_str()) == chosen,
    };
    known.iter().map(choice).collect()
}

fn about(app: &App, facts: &Facts) -> String {
    let thinks = facts.reasoning.unwrap_or_default();
    text::about_model(price(facts), &app.config.catalog.currency, facts.context, thinks)
}

/// What a million tokens cost that are asked and answered, in micro-units.
pub fn price(facts: &Facts) -> Option<(i64, i64)> {
    facts.price.map(|price| {
        let price = Price::from(price);
        (price.input, price.output)
    })
}
