//! What makes a draft a message.

use super::draft::{Attachment, Draft, Recipients, Tag, Template, Variable};

/// Longest name or value of a tag, in characters.
const MAX_TAG: usize = 256;
/// Longest idempotency key, in bytes.
const MAX_KEY: usize = 256;

/// Which rule a draft breaks. It names the field and never what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The field is blank.
    #[error("{0} must not be empty")]
    Empty(&'static str),
    /// The list is empty.
    #[error("{0} must contain at least one recipient")]
    NoRecipient(&'static str),
    /// The list holds a blank.
    #[error("{0} contains an empty email address")]
    EmptyAddress(&'static str),
    /// An attachment has neither content nor path.
    #[error("Each attachment must include at least one of content or path")]
    EmptyAttachment,
    /// A tag's name or value is empty or too long.
    #[error("{0} must have 1 to 256 characters")]
    TagLength(&'static str),
    /// The template's variables are there, and there are none.
    #[error("template.variables cannot be an empty mapping")]
    NoVariables,
    /// There is a template, and a body.
    #[error("Cannot provide html/text alongside template")]
    BodyAndTemplate,
    /// There is neither a template nor a body.
    #[error("One of html, text, or template is required")]
    NoBody,
    /// A field that becomes a header would become more than one.
    #[error("{0} must not contain control characters")]
    ControlCharacter(&'static str),
    /// A header's name is no token of RFC 5322 §2.2.
    #[error("headers must have names of visible ASCII characters without a colon")]
    HeaderName,
    /// The idempotency key does not fit into a header.
    #[error("idempotency_key must have 1 to 256 visible ASCII characters")]
    IdempotencyKey,
}

/// The draft, trimmed but for its bodies; what is blank is not there.
pub(super) fn trimmed(draft: Draft) -> Draft {
    let list = |Recipients(all): Recipients| Recipients(all.iter().map(|one| trim(one)).collect());
    Draft {
        from: trim(&draft.from),
        to: list(draft.to),
        cc: draft.cc.map(list),
        bcc: draft.bcc.map(list),
        reply_to: draft.reply_to.map(list),
        subject: trim(&draft.subject),
        html: draft.html.filter(|body| !body.trim().is_empty()),
        text: draft.text.filter(|body| !body.trim().is_empty()),
        attachments: draft.attachments.into_iter().map(trimmed_attachment).collect(),
        tags: draft
            .tags
            .iter()
            .map(|tag| Tag { name: trim(&tag.name), value: trim(&tag.value) })
            .collect(),
        headers: draft.headers.iter().map(|(name, value)| (trim(name), trim(value))).collect(),
        scheduled_at: filled(draft.scheduled_at),
        topic_id: filled(draft.topic_id),
        template: draft.template.map(trimmed_template),
        idempotency_key: draft.idempotency_key,
    }
}

fn trim(text: &str) -> String {
    text.trim().to_owned()
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| trim(&text)).filter(|text| !text.is_empty())
}

fn trimmed_attachment(attachment: Attachment) -> Attachment {
    Attachment {
        filename: filled(attachment.filename),
        content: attachment.content.filter(|content| !content.is_empty()),
        path: filled(attachment.path),
        content_type: filled(attachment.content_type),
        content_id: filled(attachment.content_id),
    }
}

fn trimmed_template(template: Template) -> Template {
    let value = |variable| match variable {
        Variable::Text(text) => Variable::Text(trim(&text)),
        Variable::Integer(number) => Variable::Integer(number),
    };
    let variables = template.variables.map(|variables| {
        variables.into_iter().map(|(name, variable)| (trim(&name), value(variable))).collect()
    });
    Template { id: trim(&template.id), variables }
}

/// Checks a trimmed draft.
pub(super) fn check(draft: &Draft) -> Result<(), MessageError> {
    header("from", &draft.from)?;
    recipients("to", &draft.to)?;
    header("subject", &draft.subject)?;
    for (field, list) in [("cc", &draft.cc), ("bcc", &draft.bcc), ("reply_to", &draft.reply_to)] {
        if let Some(list) = list {
            recipients(field, list)?;
        }
    }
    if draft.attachments.iter().any(|file| file.content.is_none() && file.path.is_none()) {
        return Err(MessageError::EmptyAttachment);
    }
    for tag in &draft.tags {
        tag_part("tags.name", &tag.name)?;
        tag_part("tags.value", &tag.value)?;
    }
    headers(draft)?;
    if let Some(template) = &draft.template {
        if template.id.is_empty() {
            return Err(MessageError::Empty("template.id"));
        }
        if template.variables.as_ref().is_some_and(std::collections::BTreeMap::is_empty) {
            return Err(MessageError::NoVariables);
        }
    }
    match (draft.html.is_some() || draft.text.is_some(), draft.template.is_some()) {
        (true, true) => return Err(MessageError::BodyAndTemplate),
        (false, false) => return Err(MessageError::NoBody),
        _ => {}
    }
    let is_key = |key: &String| {
        (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    if draft.idempotency_key.as_ref().is_some_and(|key| !is_key(key)) {
        return Err(MessageError::IdempotencyKey);
    }
    Ok(())
}

/// A text that becomes a header: there, and of one line.
fn header(field: &'static str, text: &str) -> Result<(), MessageError> {
    if text.is_empty() {
        return Err(MessageError::Empty(field));
    }
    one_line(field, text)
}

/// No control character, and nothing that Unicode counts as a line end.
fn one_line(field: &'static str, text: &str) -> Result<(), MessageError> {
    let ends_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.contains(ends_line) { Err(MessageError::ControlCharacter(field)) } else { Ok(()) }
}

fn recipients(field: &'static str, Recipients(list): &Recipients) -> Result<(), MessageError> {
    if list.is_empty() {
        return Err(MessageError::NoRecipient(field));
    }
    if list.iter().any(String::is_empty) {
        return Err(MessageError::EmptyAddress(field));
    }
    list.iter().try_for_each(|address| one_line(field, address))
}

fn tag_part(field: &'static str, text: &str) -> Result<(), MessageError> {
    let fits = (1..=MAX_TAG).contains(&text.chars().count());
    if fits { Ok(()) } else { Err(MessageError::TagLength(field)) }
}

fn headers(draft: &Draft) -> Result<(), MessageError> {
    for (name, value) in &draft.headers {
        let is_name = |byte: u8| byte.is_ascii_graphic() && byte != b':';
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(MessageError::HeaderName);
        }
        one_line("headers", value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn draft() -> Draft {
        Draft {
            from: "noreply@example.com".into(),
            to: "ann@example.com".into(),
            subject: "Hello".into(),
            text: Some("text".into()),
            ..Draft::default()
        }
    }

    #[track_caller]
    fn assert_refused(draft: Draft, text: &str) {
        let refusal = Message::new(draft).map(|_| "it passes".to_owned());
        assert_eq!(refusal.unwrap_or_else(|error| error.to_string()), text);
    }

    fn template() -> Template {
        Template { id: "welcome".into(), variables: None }
    }

    #[test]
    fn an_ordinary_message_passes() {
        Message::new(draft()).unwrap();
        Message::new(Draft { text: None, html: Some("<p>".into()), ..draft() }).unwrap();
        Message::new(Draft { text: None, template: Some(template()), ..draft() }).unwrap();
    }

    #[test]
    fn a_sender_and_a_subject_are_needed() {
        assert_refused(Draft { from: "  ".into(), ..draft() }, "from must not be empty");
        assert_refused(Draft { subject: "\t".into(), ..draft() }, "subject must not be empty");
    }

    #[test]
    fn every_list_of_recipients_holds_one_at_least() {
        let none = || Some(Recipients::default());
        let text = |field: &str| format!("{field} must contain at least one recipient");
        assert_refused(Draft { to: Recipients::default(), ..draft() }, &text("to"));
        assert_refused(Draft { cc: none(), ..draft() }, &text("cc"));
        assert_refused(Draft { bcc: none(), ..draft() }, &text("bcc"));
        assert_refused(Draft { reply_to: none(), ..draft() }, &text("reply_to"));
    }

    #[test]
    fn no_list_of_recipients_holds_a_blank() {
        let blank = || Recipients::from(["ann@example.com", "  "]);
        let text = |field: &str| format!("{field} contains an empty email address");
        assert_refused(Draft { to: blank(), ..draft() }, &text("to"));
        assert_refused(Draft { to: "".into(), ..draft() }, &text("to"));
        assert_refused(Draft { cc: Some(blank()), ..draft() }, &text("cc"));
        assert_refused(Draft { bcc: Some(blank()), ..draft() }, &text("bcc"));
        assert_refused(Draft { reply_to: Some(blank()), ..draft() }, &text("reply_to"));
    }

    #[test]
    fn recipients_are_one_or_several() {
        assert!(Recipients::from("a@b") == Recipients::from(["a@b"]));
        assert!(Recipients::from("a@b".to_owned()) == Recipients::from(vec!["a@b".to_owned()]));
    }

    #[test]
    fn addresses_are_not_judged() {
        Message::new(Draft { to: "not an address".into(), ..draft() }).unwrap();
    }

    #[test]
    fn an_attachment_has_content_or_a_path() {
        let with = |attachment| Draft { attachments: vec![attachment], ..draft() };
        let text = "Each attachment must include at least one of content or path";
        assert_refused(with(Attachment::default()), text);
        assert_refused(with(Attachment { path: Some("  ".into()), ..Attachment::default() }), text);
        assert_refused(with(Attachment { content: Some(vec![]), ..Attachment::default() }), text);
        let path = Some("https://example.com/a.pdf".into());
        Message::new(with(Attachment { path, ..Attachment::default() })).unwrap();
        Message::new(with(Attachment { content: Some(vec![0]), ..Attachment::default() })).unwrap();
    }

    #[test]
    fn a_tag_has_a_name_and_a_value_of_up_to_256_characters() {
        let tag = |name: &str, value: &str| Tag { name: name.into(), value: value.into() };
        let with = |tag| Draft { tags: vec![tag], ..draft() };
        Message::new(with(tag("n", &"ü".repeat(256)))).unwrap();
        let long = "x".repeat(257);
        for name in ["", " ", &long] {
            assert_refused(with(tag(name, "v")), "tags.name must have 1 to 256 characters");
            assert_refused(with(tag("n", name)), "tags.value must have 1 to 256 characters");
        }
    }

    #[test]
    fn a_template_has_an_id_and_no_empty_variables() {
        let with = |template| Draft { text: None, template: Some(template), ..draft() };
        let nameless = Template { id: " ".into(), ..template() };
        assert_refused(with(nameless), "template.id must not be empty");
        let empty = Template { variables: Some([].into()), ..template() };
        assert_refused(with(empty), "template.variables cannot be an empty mapping");
        let variables = [("name".into(), "Ann".into()), ("count".into(), 3.into())];
        Message::new(with(Template { variables: Some(variables.into()), ..template() })).unwrap();
    }

    #[test]
    fn there_is_a_body_or_a_template_and_not_both() {
        let text = "Cannot provide html/text alongside template";
        assert_refused(Draft { template: Some(template()), ..draft() }, text);
        let html = Some("<p>".into());
        assert_refused(Draft { text: None, html, template: Some(template()), ..draft() }, text);
        let text = "One of html, text, or template is required";
        assert_refused(Draft { text: None, ..draft() }, text);
        assert_refused(
            Draft { text: Some(" \n".into()), html: Some(String::new()), ..draft() },
            text,
        );
    }

    #[test]
    fn texts_are_trimmed_and_bodies_are_not() {
        let message = Message::new(Draft {
            from: " a@b ".into(),
            to: [" c@d "].into(),
            subject: " s ".into(),
            text: Some(" t\n".into()),
            scheduled_at: Some(" ".into()),
            topic_id: Some(" x ".into()),
            ..Draft::default()
        });
        let message = message.unwrap();
        let draft = message.draft();
        assert_eq!((draft.from.as_str(), draft.subject.as_str()), ("a@b", "s"));
        assert!(draft.to == Recipients::from("c@d"));
        assert_eq!(draft.text.as_deref(), Some(" t\n"));
        assert_eq!((draft.scheduled_at.as_deref(), draft.topic_id.as_deref()), (None, Some("x")));
    }

    #[test]
    fn nothing_adds_a_header() {
        let evil = "a\r\nBcc: eve@example.com";
        let text = |field: &str| format!("{field} must not contain control characters");
        assert_refused(Draft { from: evil.into(), ..draft() }, &text("from"));
        assert_refused(Draft { to: evil.into(), ..draft() }, &text("to"));
        assert_refused(Draft { subject: evil.into(), ..draft() }, &text("subject"));
        assert_refused(Draft { reply_to: Some(evil.into()), ..draft() }, &text("reply_to"));
        let headers = [("X-One".to_owned(), evil.to_owned())].into();
        assert_refused(Draft { headers, ..draft() }, &text("headers"));
        for name in ["", "X One", "X:", "X\r\nY", "Ü"] {
            let headers = [(name.to_owned(), "v".to_owned())].into();
            let text = "headers must have names of visible ASCII characters without a colon";
            assert_refused(Draft { headers, ..draft() }, text);
        }
    }

    #[test]
    fn an_idempotency_key_fits_into_a_header() {
        let with = |key: &str| Draft { idempotency_key: Some(key.into()), ..draft() };
        Message::new(with(&"k".repeat(256))).unwrap();
        for key in ["", "a b", "a\r\nb", "ü", &"k".repeat(257)] {
            let text = "idempotency_key must have 1 to 256 visible ASCII characters";
            assert_refused(with(key), text);
        }
    }

    #[test]
    fn debug_tells_nothing() {
        let message = Message::new(draft()).unwrap();
        assert_eq!(format!("{message:?} {:?}", draft()), "Message(…) Draft(…)");
    }
}
