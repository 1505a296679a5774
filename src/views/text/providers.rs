//! Words about providers that administrators keep.

pub const PROVIDER_NEW: &str = "Add a provider";
pub const PROVIDER_EDIT: &str = "Edit";
pub const PROVIDER_OF_SETTINGS: &str = "It stands in the settings, and is changed there.";
pub const PROVIDERS_IDLE: &str = "Not in use";
pub const PROVIDER_OFF: &str = "switched off";
pub const PROVIDER_SHADOWED: &str = "the settings have one of this name";
pub const PROVIDER_SHADOWED_LEAD: &str =
    "The settings have a provider of this name, and that one is used instead of this.";
pub const PROVIDER_KIND: &str = "What it speaks";
pub const PROVIDER_NAME: &str = "Name";
pub const PROVIDER_NAME_HINT: &str = "Its models are called NAME/model, for good.";
pub const PROVIDER_ADDRESS: &str = "Address";
pub const PROVIDER_ADDRESS_HINT: &str =
    "With its version, such as https://api.groq.com/openai/v1. Empty: the vendor's own.";
pub const PROVIDER_ADDRESS_KEYS: &str =
    "At another host its keys are removed: each goes only to the one it was given for.";
pub const PROVIDER_KEY_FIRST: &str = "Key";
pub const PROVIDER_KEY_HINT: &str = "Kept sealed, and never shown again. Empty for a server that needs none.";
pub const PROVIDER_REQUESTS: &str = "Requests a minute of each key";
pub const PROVIDER_TOKENS: &str = "Tokens a minute of each key";
pub const PROVIDER_LIMITS_HINT: &str = "Above them answers wait. 0: as much as the provider lets it.";
pub const PROVIDER_MODELS: &str = "Models";
pub const PROVIDER_MODELS_HINT: &str = "One on each line. Empty: those that it lists itself.";
pub const PROVIDER_ENABLED: &str = "Its models can be asked";
pub const PROVIDER_KEYS: &str = "Keys";
pub const PROVIDER_KEYS_LEAD: &str =
    "The least used one with room is asked with. They are sealed; nobody can read them here.";
pub const PROVIDER_KEYS_NONE: &str = "It is asked without a key.";
pub const PROVIDER_KEY_SINCE: &str = "since";
pub const PROVIDER_KEY_NEW: &str = "Another key";
pub const PROVIDER_KEY_ADD: &str = "Add";
pub const PROVIDER_KEY_REMOVE: &str = "Remove";
pub const PROVIDER_REMOVE: &str = "Remove this provider";
pub const PROVIDER_REMOVE_LEAD: &str =
    "Its keys go for good, and its models can no longer be asked. What they answered stays, and what it cost.";
pub const PROVIDER_ANSWERED: &str = "Saved. It answers, and its models can be asked.";
pub const PROVIDER_UNANSWERED: &str =
    "Saved. It did not answer: look whether its address is right. Its models are asked for again every few minutes.";
pub const PROVIDER_SAVED: &str = "Saved.";
pub const PROVIDER_KEY_REMOVED: &str = "The key was removed.";
pub const PROVIDER_REMOVED: &str = "The provider was removed.";

/// By the name that the settings have for it.
pub fn provider_kind(kind: &str) -> &'static str {
    match kind {
        "anthropic" => "Anthropic",
        "gemini" => "Gemini",
        _ => "OpenAI, and what speaks like it",
    }
}
