//! The administrators' pages of models: what is known of each, and what they say of it.

use crate::{
    base::{Error, config, error::FieldError, ids::GroupId, money::grouped},
    domain::{
        accounts::Viewer,
        catalog::{self, Audience, Edit, Model},
        groups,
    },
    http::{
        Web,
        auth::Me,
        extract::{Asked, Fields, optional},
        present,
        respond::{self, Failure},
        routes::{Access, Routes},
    },
    outside::llm::{Facts, MOST_LABEL, MOST_TOKENS},
    views::{Capability, ModelField, ModelGroup, ModelLine, ModelPage, ModelsPage, text},
};
use axum::{
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/admin/models", Access::Administrator, show)
        .get("/admin/models/edit", Access::Administrator, show_one)
        .post("/admin/models/edit", Access::Administrator, change)
}

#[derive(Deserialize)]
struct Done {
    saved: Option<String>,
}

async fn show(State(web): State<Web>, Me(viewer): Me, Asked(done): Asked<Done>) -> Result<Html<String>, Failure> {
    let models = catalog::all(&web.app, &viewer).await?;
    let group = |provider: &str| ModelGroup {
        provider: provider.to_owned(),
        models: models.iter().filter(|model| model.provider == provider).map(line).collect(),
    };
    let groups = web.app.providers().iter().map(|provider| group(&provider.name)).collect();
    let days = present::days(&web.app, &viewer, None).await?;
    let currency = web.app.config.catalog.currency.clone();
    let page = ModelsPage { me: present::me(&viewer), days, saved: done.saved.is_some(), currency, groups };
    Ok(Html(page.render()))
}

fn line(model: &Model) -> ModelLine {
    let facts = &model.facts;
    ModelLine {
        id: model.id(),
        name: model.name.clone(),
        label: facts.label.clone(),
        context: facts.context,
        price: present::price(facts),
        can: can(facts).map(Option::unwrap_or_default),
        audience: model.edit.audience.name(),
    }
}

/// In the order of [`text::CAPABILITIES`].
fn can(facts: &Facts) -> [Option<bool>; 3] {
    [facts.images, facts.tools, facts.reasoning]
}

#[derive(Deserialize)]
struct One {
    model: String,
}

async fn show_one(State(web): State<Web>, Me(viewer): Me, Asked(one): Asked<One>) -> Result<Html<String>, Failure> {
    let model = catalog::find(&web.app, &viewer, &one.model).await?;
    Ok(Html(page(&web, &viewer, &model, &ModelForm::of(&model), Vec::new()).await?))
}

/// Whether it can do something, as a field has it; nothing: as it is known.
fn said(typed: &str) -> Option<bool> {
    match typed {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// As typed: nothing, or a number.
#[derive(Default)]
struct ModelForm {
    model: String,
    audience: String,
    groups: Vec<GroupId>,
    label: String,
    context: String,
    max_output: String,
    input: String,
    cached: String,
    output: String,
    images: String,
    tools: String,
    reasoning: String,
}

impl ModelForm {
    fn of(model: &Model) -> Self {
        let Edit { audience, groups, facts } = &model.edit;
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        let price = |part: fn(config::Price) -> Option<f64>| {
            facts.price.and_then(part).map(|price| price.to_string()).unwrap_or_default()
        };
        let [images, tools, reasoning] = can(facts).map(|can| match can {
            None => String::new(),
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
        });
        Self {
            model: model.id(),
            audience: audience.name().to_owned(),
            groups: groups.clone(),
            label: facts.label.clone().unwrap_or_default(),
            context: number(facts.context),
            max_output: number(facts.max_output),
            input: price(|price| Some(price.input)),
            cached: price(|price| price.cached),
            output: price(|price| Some(price.output)),
            images,
            tools,
            reasoning,
        }
    }

    /// The fields as they were sent; the one of groups as often as there are some.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a field that there is not.
    fn sent(fields: Vec<(String, String)>) -> Result<Self, Error> {
        let mut form = Self::default();
        for (name, value) in fields {
            let field = match name.as_str() {
                "model" => &mut form.model,
                "audience" => &mut form.audience,
                "label" => &mut form.label,
                "context" => &mut form.context,
                "max_output" => &mut form.max_output,
                "input" => &mut form.input,
                "cached" => &mut form.cached,
                "output" => &mut form.output,
                "images" => &mut form.images,
                "tools" => &mut form.tools,
                "reasoning" => &mut form.reasoning,
                "group" => {
                    form.groups.extend(optional::<GroupId>("group", &value)?);
                    continue;
                }
                _ => return Err(Error::invalid("form", "This form is an older one. Reload the page and try again.")),
            };
            *field = value;
        }
        form.groups.sort_unstable();
        Ok(form)
    }

    /// What was meant; or what cannot be taken.
    fn read(&self) -> Result<Edit, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let mut take = |field: &'static str, message: &str| wrong.push(FieldError { field, message: message.into() });
        let label = self.label.trim();
        if label.chars().count() > MOST_LABEL || label.chars().any(char::is_control) {
            take("label", text::MODEL_LABEL_WRONG);
        }
        let mut tokens = |field, typed: &str| {
            let number = typed.trim().replace([',', ' '], "");
            let read = number.parse().ok().filter(|tokens| (1..=MOST_TOKENS).contains(tokens));
            if read.is_none() && !number.is_empty() {
                take(field, text::MODEL_TOKENS_WRONG);
            }
            read
        };
        let (context, max_output) = (tokens("context", &self.context), tokens("max_output", &self.max_output));
        let mut part = |field, typed: &str| {
            let number = typed.trim().replace(',', ".");
            let read: Option<f64> = number.parse().ok().filter(|price| (0. ..=f64::from(config::MOST)).contains(price));
            if read.is_none() && !number.is_empty() {
                take(field, text::MODEL_PRICE_WRONG);
            }
            read
        };
        let [input, cached, output] = [("input", &self.input), ("cached", &self.cached), ("output", &self.output)]
            .map(|(f, typed)| part(f, typed));
        let price = input.zip(output).map(|(input, output)| config::Price { input, cached, output });
        if price.is_none() && wrong.is_empty() && [input, cached, output].iter().any(Option::is_some) {
            let field = if input.is_none() { "input" } else { "output" };
            wrong.push(FieldError { field, message: text::MODEL_PRICE_HALF.into() });
        }
        let audience = Audience::parse(&self.audience).unwrap_or_default();
        let facts = Facts {
            label: Some(label.to_owned()).filter(|label| !label.is_empty()),
            context,
            max_output,
            images: said(&self.images),
            tools: said(&self.tools),
            reasoning: said(&self.reasoning),
            price,
        };
        let groups = if audience == Audience::Groups { self.groups.clone() } else { Vec::new() };
        if wrong.is_empty() { Ok(Edit { audience, groups, facts }) } else { Err(wrong) }
    }
}

async fn change(
    State(web): State<Web>,
    Me(viewer): Me,
    Fields(fields): Fields<Vec<(String, String)>>,
) -> Result<Response, Failure> {
    let form = ModelForm::sent(fields)?;
    let model = catalog::find(&web.app, &viewer, &form.model).await?;
    let edited = match form.read() {
        Ok(edit) => catalog::edit(&web.app, &viewer, &form.model, &edit).await,
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match edited {
        Ok(()) => Ok(Redirect::to("/admin/models?saved").into_response()),
        Err(Error::Invalid(wrong)) => {
            let page = page(&web, &viewer, &model, &form, wrong).await?;
            Ok((respond::status(&Error::Invalid(Vec::new())), Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    web: &Web,
    viewer: &Viewer,
    model: &Model,
    form: &ModelForm,
    wrong: Vec<FieldError>,
) -> Result<String, Failure> {
    let known = &model.known;
    let fault = |name: &str| wrong.iter().find(|error| error.field == name).map(|error| error.message.clone());
    let field =
        |name, words, value: &str, hint| ModelField { name, words, value: value.into(), hint, fault: fault(name) };
    let tokens = |known: Option<u32>| text::known(known.map(|tokens| grouped(tokens.into())).as_deref());
    let price = |part: fn(config::Price) -> Option<f64>| {
        text::known(known.price.and_then(part).map(|price| price.to_string()).as_deref())
    };
    let said = [&form.images, &form.tools, &form.reasoning].map(|typed| said(typed));
    let can = |at: usize| {
        let (name, words) = text::CAPABILITIES[at];
        Capability { name, words, said: said[at], known: can(known)[at] }
    };
    let groups = groups::all(&web.app, viewer).await?;
    let days = present::days(&web.app, viewer, None).await?;
    let page = ModelPage {
        me: present::me(viewer),
        days,
        id: model.id(),
        title: model.label().to_owned(),
        currency: web.app.config.catalog.currency.clone(),
        audience: Audience::parse(&form.audience).unwrap_or_default().name(),
        audiences: Audience::ALL
            .map(Audience::name)
            .into_iter()
            .filter(|name| *name != "groups" || !groups.is_empty())
            .collect(),
        audience_fault: fault("audience"),
        groups: groups.into_iter().map(|group| (group.id, group.name, form.groups.contains(&group.id))).collect(),
        label: field(
            "label",
            text::MODEL_LABEL,
            &form.label,
            text::known(Some(known.label.as_deref().unwrap_or(&model.name))),
        ),
        context: field("context", text::MODEL_CONTEXT_LABEL, &form.context, tokens(known.context)),
        max_output: field("max_output", text::MODEL_OUTPUT_LABEL, &form.max_output, tokens(known.max_output)),
        prices: [
            field("input", text::MODEL_PRICE_INPUT, &form.input, price(|price| Some(price.input))),
            field("cached", text::MODEL_PRICE_CACHED, &form.cached, price(|price| price.cached)),
            field("output", text::MODEL_PRICE_OUTPUT, &form.output, price(|price| Some(price.output))),
        ],
        can: [can(0), can(1), can(2)],
    };
    Ok(page.render())
}
