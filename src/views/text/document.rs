//! The words of the page of the API.

pub const DOCUMENT: &str = "The API";
pub const DOCUMENT_LEAD: &str =
    "Everything that the pages do, for programs. A key is made in the settings, under API keys.";
pub const DOCUMENT_FILE: &str = "The same as an OpenAPI document";
pub const DOCUMENT_EXAMPLE: &str = "An example for the command line";
pub const DOCUMENT_PARTS: &str = "Parts";
pub const DOCUMENT_ANY_TOKEN: &str = "With any key or access token.";
pub const DOCUMENT_SCOPE: &str = "With an access token, or a key that has the scope";
pub const DOCUMENT_NO_TOKEN: &str = "Without a token.";
pub const DOCUMENT_PARAMETERS: &str = "Parameters";
pub const DOCUMENT_BODY: &str = "Body";
pub const DOCUMENT_ANSWERS: &str = "Answers";
pub const DOCUMENT_REQUIRED: &str = "required";
