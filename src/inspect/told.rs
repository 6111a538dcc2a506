//! The diagnosis of a delivery: a headline, its cause, the fixes, and the evidence.

use url::Url;

use crate::domain::{DeliveryId, Secret};
use crate::send::source_path;

/// Why a delivery has its result, for the person who has to fix it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// The cause's short name; the same for the same cause.
    pub code: String,
    /// It in at most eight words.
    pub headline: String,
    /// What happened, in a sentence or two.
    pub cause: String,
    /// What to do, the first thing first.
    pub fixes: Vec<Fix>,
    /// What else was found out.
    pub evidence: Vec<String>,
    /// Whether today's configuration lets it pass.
    pub passes_today: bool,
}

/// A step of what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fix {
    /// What to do, as a sentence.
    pub step: String,
    /// The line to copy for it.
    pub line: Option<String>,
    /// What proves or does it here.
    pub action: Option<Action>,
    /// The source whose URL the line is.
    pub posts_to: Option<String>,
}

/// What can be done about a delivery on the inspector's own pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Check stored deliveries with another secret.
    TestSecret,
    /// Check stored deliveries with other rules for the source.
    ChangeRules,
    /// Compare it with the first delivery of its event.
    Compare,
    /// Show the secret that the sender of a source needs.
    ShowSecret {
        /// The source.
        source: String,
        /// Whether it is a token in a header.
        is_token: bool,
    },
    /// Find or check the public address.
    Connect,
    /// Replay it to this receiver.
    Replay,
    /// Open another delivery.
    Open(DeliveryId),
}

impl Diagnosis {
    /// A cause, without anything to do about it yet.
    pub fn new(code: impl Into<String>, headline: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { code: code.into(), headline: headline.into(), cause: cause.into(), ..Self::default() }
    }

    /// The same from a text with the cause and the fix, separated by ` | `.
    pub fn of(code: impl Into<String>, headline: impl Into<String>, said: &str) -> Self {
        let (cause, fix) = said.split_once(" | ").unwrap_or((said, ""));
        let told = Self::new(code, headline, cause);
        if fix.is_empty() { told } else { told.fix(fix) }
    }

    /// With one more step.
    pub fn fix(self, step: impl Into<String>) -> Self {
        self.with(Fix { step: step.into(), ..Fix::default() })
    }

    /// With one more step and the line to copy for it.
    pub fn line(self, step: impl Into<String>, line: impl Into<String>) -> Self {
        self.with(Fix { step: step.into(), line: Some(line.into()), ..Fix::default() })
    }

    /// With one more step that is done, or proved, here.
    pub fn act(self, step: impl Into<String>, action: Action) -> Self {
        self.with(Fix { step: step.into(), action: Some(action), ..Fix::default() })
    }

    /// With the line to copy for the last step.
    pub fn with_line(mut self, line: impl Into<String>) -> Self {
        if let Some(last) = self.fixes.last_mut() {
            last.line = Some(line.into());
        }
        self
    }

    /// With what proves or does the last step here.
    pub fn proved_by(mut self, action: Action) -> Self {
        if let Some(last) = self.fixes.last_mut() {
            last.action = Some(action);
        }
        self
    }

    /// With the URL of `source` to copy for the last step.
    pub fn posts_to(mut self, source: &str) -> Self {
        if let Some(last) = self.fixes.last_mut() {
            last.posts_to = Some(source.to_owned());
        }
        self
    }

    /// With the public address in the URLs to copy, or with the way to one.
    pub fn reached_at(mut self, public: Option<&Url>) -> Self {
        for fix in &mut self.fixes {
            match (&fix.posts_to, public) {
                (Some(source), Some(base)) => fix.line = Some(format!("{base}{}", source_path(source))),
                (Some(_), None) => fix.action = Some(Action::Connect),
                (None, _) => {}
            }
        }
        self
    }

    /// With a step.
    pub fn with(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// With one more piece of evidence; an empty one is none.
    pub fn evidence(mut self, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        if !sentence.is_empty() {
            self.evidence.push(sentence);
        }
        self
    }

    /// All of it as one text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut said = format!("{}.", self.headline);
        let mut say = |sentence: &str| {
            if !sentence.is_empty() {
                said.push(' ');
                said.push_str(sentence);
            }
        };
        say(&self.cause);
        for fix in &self.fixes {
            say(&fix.text());
        }
        self.evidence.iter().for_each(|sentence| say(sentence));
        said
    }
}

impl Fix {
    /// The step and its line as a sentence.
    fn text(&self) -> String {
        match &self.line {
            Some(line) => format!("{}: {}.", self.step.trim_end_matches('.'), line.replace('\n', ", ")),
            None => self.step.clone(),
        }
    }
}

/// Where a secret is, and its end where that may be shown: `in the file signing-secret (ends in f443)`.
pub fn place(secret: &Secret) -> String {
    let place = match secret.name().split_once(':') {
        Some(("file", name)) => format!("in the file {name}"),
        Some(("env", name)) => format!("in the variable {name}"),
        _ => format!("in the configuration, as {}", secret.name()),
    };
    match secret.ending() {
        Some(ending) => format!("{place} (ends in {ending})"),
        None => place,
    }
}
