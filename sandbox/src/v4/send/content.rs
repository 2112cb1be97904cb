//! What is sent: both generations of the body, read into one.

use serde_json::{Map, Value, json};

use crate::blooio::{Attachment, Channel, Draft, EFFECTS, Poll, effect_name, is_url};
use crate::fields::Fields;
use crate::refusal::Refusal;

/// The content groups of which a body has exactly one; `text` and `attachments` are one group.
const GROUPS: [&str; 8] = ["text", "rich_link", "poll", "interactive", "template", "parts", "app_clip", "imessage_app"];
const TITLE_LIMIT: usize = 200;
/// As v2: a poll offers at most this many options.
const POLL_OPTIONS: std::ops::RangeInclusive<usize> = 2..=10;

/// Valid content, before its channel is known.
pub(super) struct Content {
    pub(super) draft: Draft,
    pub(super) reply_to: Option<String>,
    pub(super) poll: Option<Value>,
    group: &'static str,
    effect: Option<String>,
}

impl Content {
    pub(super) fn read(body: &Map<String, Value>) -> Result<Content, Refusal> {
        let flattened = body
            .get("content")
            .filter(|content| !content.is_null())
            .map(|content| flatten(body, content))
            .transpose()?;
        Content::read_flat(fields(flattened.as_ref().unwrap_or(body)))
    }

    fn read_flat(fields: Fields<'_>) -> Result<Content, Refusal> {
        let mut given = present_groups(fields);
        let group = given.next().ok_or_else(|| refuse("No content: give text, attachments, or one other kind."))?;
        if let Some(second) = given.next() {
            return Err(refuse(format!("Give exactly one kind of content, not both {group} and {second}.")));
        }
        let mut draft = match group {
            "text" => text_or_media(fields)?,
            "rich_link" => {
                let link = fields.object("rich_link")?.ok_or_else(|| refuse("rich_link is missing."))?;
                let url = link.required_text("url")?;
                plain("rich_link", Some(check_url("rich_link.url", url)?))
            }
            "poll" => {
                let poll = read_poll(fields)?;
                Draft { poll: Some(poll.clone()), ..plain("poll", Some(poll.title)) }
            }
            "parts" => read_parts(fields)?,
            "interactive" => {
                fields.object("interactive")?.map(|one| one.required_text("kind")).transpose()?;
                plain("interactive", None)
            }
            other => {
                fields.object(other)?;
                plain(other, None)
            }
        };
        let effect = read_effect(fields)?;
        if effect.is_some() && group != "text" {
            return Err(refuse("effect goes with text only."));
        }
        check_link_preview(fields)?;
        draft.effect.clone_from(&effect);
        let poll = fields.get("poll").map(|poll| json!({"title": poll["title"], "options": poll["options"]}));
        Ok(Content { draft, reply_to: fields.text("reply_to")?.map(str::to_owned), poll, group, effect })
    }

    /// Whether the channel can carry it at all; effects are the channel's business too, down to their names.
    pub(super) fn check_channel(&self, channel: &Channel) -> Result<(), Refusal> {
        if self.effect.as_deref().is_some_and(|effect| !EFFECTS.contains(&effect)) {
            return Err(refuse(format!("effect must be one of {}.", EFFECTS.join(", "))).with("field", "effect"));
        }
        let carried = match self.group {
            "poll" | "parts" | "app_clip" | "imessage_app" => channel.is_line(),
            "template" => channel.kind == "whatsapp_business",
            "interactive" => matches!(channel.kind, "whatsapp_business" | "rcs_business"),
            _ => self.effect.is_none() || channel.is_line(),
        };
        if carried {
            return Ok(());
        }
        let what = if self.effect.is_some() { "effect" } else { self.group };
        Err(refuse(format!("A {} channel does not carry {what}.", channel.kind)))
    }
}

/// The tagged object of the older generation as the fields the newer one has at the top.
fn flatten(body: &Map<String, Value>, content: &Value) -> Result<Map<String, Value>, Refusal> {
    if present_groups(fields(body)).next().is_some() {
        return Err(refuse("Give content, or the content's fields at the top level, not both."));
    }
    let Value::Object(tagged) = content else { return Err(refuse("content must be an object.")) };
    let mut flat = Map::new();
    let copy = |names: &[&str], to: &mut Map<String, Value>| {
        for name in names {
            if let Some(value) = tagged.get(*name) {
                to.insert((*name).to_owned(), value.clone());
            }
        }
    };
    let nested = |group: &str, names: &[&str], flat: &mut Map<String, Value>| {
        let mut fields = Map::new();
        copy(names, &mut fields);
        flat.insert(group.to_owned(), Value::Object(fields));
    };
    match tagged.get("type").and_then(Value::as_str) {
        Some("text") => copy(&["text", "effect", "link_preview"], &mut flat),
        Some("media") => {
            copy(&["attachments"], &mut flat);
            if let Some(caption) = tagged.get("caption") {
                flat.insert("text".to_owned(), caption.clone());
            }
            if !fields(&flat).has("attachments") {
                return Err(refuse("media needs attachments."));
            }
        }
        Some("multipart") => copy(&["parts"], &mut flat),
        Some("rich_link") => nested("rich_link", &["url", "title"], &mut flat),
        Some("poll") => nested("poll", &["title", "options"], &mut flat),
        Some("interactive") => {
            flat.insert("interactive".to_owned(), content.clone());
        }
        _ => return Err(refuse("content.type must be text, media, multipart, rich_link, poll or interactive.")),
    }
    if let Some(reply_to) = tagged.get("reply_to") {
        flat.insert("reply_to".to_owned(), reply_to.clone());
    }
    Ok(flat)
}

fn present_groups(fields: Fields<'_>) -> impl Iterator<Item = &'static str> {
    let present = move |group: &&'static str| fields.has(group) || (*group == "text" && fields.has("attachments"));
    GROUPS.into_iter().filter(move |group| present(group))
}

fn text_or_media(fields: Fields<'_>) -> Result<Draft, Refusal> {
    let text = fields.text("text")?.map(str::to_owned);
    let urls = match fields.list("attachments")? {
        Some([]) => return Err(fields.refuse("attachments", "a list of at least one https URL")),
        Some(_) => fields.texts("attachments")?.unwrap_or_default(),
        None => Vec::new(),
    };
    let attachments: Result<Vec<Attachment>, Refusal> = urls
        .into_iter()
        .map(|url| match url.starts_with("https://") {
            true => Ok(Attachment { url: check_url("attachments", url)?, name: None }),
            false => Err(fields.refuse("attachments", "a list of https URLs")),
        })
        .collect();
    let attachments = attachments?;
    if attachments.is_empty() && text.as_ref().is_none_or(|text| text.is_empty()) {
        return Err(fields.refuse("text", "a non-empty string"));
    }
    let kind = if attachments.is_empty() { "text" } else { "media" };
    Ok(Draft { kind, text, attachments, ..Draft::default() })
}

fn read_poll(fields: Fields<'_>) -> Result<Poll, Refusal> {
    let poll = fields.object("poll")?.ok_or_else(|| refuse("poll is missing."))?;
    let options = poll.texts("options")?.unwrap_or_default();
    if !POLL_OPTIONS.contains(&options.len()) {
        return Err(refuse("A poll has 2 to 10 options."));
    }
    let title = poll.required_text("title")?.to_owned();
    Ok(Poll { title, options: options.into_iter().map(str::to_owned).collect(), ..Poll::default() })
}

fn read_parts(fields: Fields<'_>) -> Result<Draft, Refusal> {
    let parts =
        fields.list("parts")?.filter(|parts| !parts.is_empty()).ok_or_else(|| refuse("parts must not be empty."))?;
    let mut text = String::new();
    let mut attachments = Vec::new();
    for part in parts {
        match (part["text"].as_str(), part["url"].as_str()) {
            (Some(words), None) => text.push_str(words),
            (None, Some(url)) => attachments.push(Attachment { url: check_url("parts", url)?, name: None }),
            _ => return Err(refuse("Each part has either text or url.")),
        }
    }
    Ok(Draft { kind: "multipart", text: (!text.is_empty()).then_some(text), attachments, ..Draft::default() })
}

fn read_effect(fields: Fields<'_>) -> Result<Option<String>, Refusal> {
    let effect = fields.text("effect")?.map(effect_name);
    Ok(effect.filter(|effect| effect != "none"))
}

fn check_link_preview(fields: Fields<'_>) -> Result<(), Refusal> {
    let Some(preview) = fields.object("link_preview")? else { return Ok(()) };
    let title = preview.text("title")?.unwrap_or_default();
    if title.chars().count() > TITLE_LIMIT {
        return Err(refuse(format!("link_preview.title has at most {TITLE_LIMIT} characters.")));
    }
    for name in ["imageUrl", "image_url"] {
        preview.text(name)?.map(|url| check_url("link_preview", url)).transpose()?;
    }
    Ok(())
}

fn check_url(field: &str, url: &str) -> Result<String, Refusal> {
    if is_url(url) { Ok(url.to_owned()) } else { Err(refuse(format!("{field} must hold http(s) URLs."))) }
}

fn plain(kind: &'static str, text: Option<String>) -> Draft {
    Draft { kind, text, ..Draft::default() }
}

fn fields(map: &Map<String, Value>) -> Fields<'_> {
    Fields::new(map, |name, must_be| refuse(format!("{name} must be {must_be}.")).with("field", name))
}

fn refuse(message: impl Into<String>) -> Refusal {
    Refusal::new(422, message).code("invalid_content")
}
