//! What is said of a delivery: a headline, its cause, what to do about it, and the evidence.

use crate::domain::Secret;

/// Why a delivery became what it is, for whoever must mend it.
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
}

/// What can be done about a delivery on the inspector's own pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Check stored deliveries with another secret.
    TestSecret,
    /// Check stored deliveries with other rules for the source.
    ChangeRules,
    /// Compare it with the first delivery of its event.
    Compare,
}

impl Diagnosis {
    /// A cause, without anything to do about it yet.
    pub fn new(code: impl Into<String>, headline: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { code: code.into(), headline: headline.into(), cause: cause.into(), ..Self::default() }
    }

    /// The same from a text that holds the cause and what to do about it, with ` | ` between.
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

/// A secret by its name, and by its end where that may be shown.
pub fn named(secret: &Secret) -> String {
    match secret.ending() {
        Some(ending) => format!("{} (••••{ending})", secret.name()),
        None => secret.name().to_owned(),
    }
}
