//! A compiled subscription. Filters and templates are compiled first, so an invalid one is never used for sending.

use serde_json::value::RawValue;
use url::Url;

use crate::catalog;
use crate::config::{mask_header, template_of};
use crate::domain::json::{pointer, unique_members};
use crate::domain::suggestion;
use crate::domain::{HeaderValue, OutgoingEvent, Secret, Subscription};
use crate::send::language::{
    Fault, Filters, Judgement, Scope, ScopeFault, Template, TextTemplate, event_matches,
};
use crate::send::wire::TargetGuard;
use crate::signing::library_warning;

/// A fault in a subscription and its place in the JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionFault {
    /// JSON pointer into the subscription.
    pub pointer: String,
    /// One sentence.
    pub message: String,
}

impl SubscriptionFault {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// A header line, ready to be rendered.
#[derive(Clone, Debug)]
pub struct CompiledHeader {
    /// Its name.
    pub name: String,
    /// How its value is made.
    pub value: CompiledValue,
}

/// The value of a header.
#[derive(Clone, Debug)]
pub enum CompiledValue {
    /// A text with expressions.
    Template(TextTemplate),
    /// A credential as it is.
    Secret(Secret),
    /// A credential with expressions, and a copy with its secret parts masked.
    SecretTemplate {
        /// The credential.
        value: TextTemplate,
        /// The copy for pages.
        masked: TextTemplate,
    },
}

/// A subscription that can evaluate and render events.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The configured subscription.
    pub subscription: Subscription,
    /// The endpoint.
    pub url: Url,
    /// Its header lines, in order.
    pub(in crate::send) headers: Vec<CompiledHeader>,
    filters: Option<Filters>,
    /// What makes the payload; without it, the event's own bytes are sent.
    pub(in crate::send) template: Option<Template>,
    /// Valid but unusual settings, one sentence each.
    pub warnings: Vec<String>,
}

impl Compiled {
    /// Compiles `subscription`.
    ///
    /// # Errors
    /// Every fault of its URL, filters, template and headers.
    pub fn new(subscription: Subscription, guard: &TargetGuard) -> Result<Self, Vec<SubscriptionFault>> {
        let mut faults = Vec::new();
        let mut warnings = Vec::new();
        let url = read_url(&subscription.url, guard).map_err(|fault| faults.push(fault)).ok();
        let filters = subscription.filters.as_deref().and_then(|text| {
            let compiled = serde_json::from_str::<Box<RawValue>>(text)
                .map_err(|fault| vec![SubscriptionFault::new("/filters", fault.to_string())])
                .and_then(|filters| Filters::compile(&filters).map_err(|found| under("/filters", found)));
            let filters = compiled.map_err(|found| faults.extend(found)).ok()?;
            warnings.extend(filters.expression_warnings());
            warnings.extend(filters.warnings(&subscription.events));
            Some(filters)
        });
        let template = subscription.payload_template.as_deref().and_then(|text| {
            let compiled = serde_json::from_str::<Box<RawValue>>(text)
                .map_err(|fault| vec![SubscriptionFault::new("/payload_template", fault.to_string())])
                .and_then(|raw| Template::compile(&raw).map_err(|found| under("/payload_template", found)));
            let (template, found) = compiled.map_err(|found| faults.extend(found)).ok()?;
            warnings.extend(found);
            warnings.extend(unknown_roots(&template));
            Some(template)
        });
        let headers = compile_headers(&subscription, &mut faults);
        for header in &headers {
            if let CompiledValue::Template(template) = &header.value {
                warnings.extend(template.warnings().map(|why| format!("headers: {}: {why}", header.name)));
            }
        }
        let signing = &subscription.signature;
        warnings.extend(signing.secrets.iter().filter_map(|secret| library_warning(signing.scheme, secret)));
        match url {
            Some(url) if faults.is_empty() => {
                Ok(Self { subscription, url, headers, filters, template, warnings })
            }
            _ => Err(faults),
        }
    }

    /// The id of the subscription.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.subscription.id
    }

    /// Whether a template makes the payload.
    #[must_use]
    pub const fn has_template(&self) -> bool {
        self.template.is_some()
    }

    /// Whether a request depends on the event in more than the event's own bytes.
    #[must_use]
    pub fn has_templates(&self) -> bool {
        let depends = |header: &CompiledHeader| match &header.value {
            CompiledValue::Template(template) | CompiledValue::SecretTemplate { value: template, .. } => {
                template.has_terms()
            }
            CompiledValue::Secret(_) => false,
        };
        self.template.is_some() || self.headers.iter().any(depends)
    }

    /// Whether it accepts events of this source.
    #[must_use]
    pub fn takes_source(&self, source: &str) -> bool {
        self.subscription.sources.as_ref().is_none_or(|sources| sources.iter().any(|known| known == source))
    }

    /// Whether it accepts events of this type.
    #[must_use]
    pub fn takes_type(&self, event_type: &str) -> bool {
        event_matches(&self.subscription.events, event_type)
    }

    /// Whether its events name this type, rather than just everything.
    #[must_use]
    pub fn names_type(&self, event_type: &str) -> bool {
        let named: Vec<String> =
            self.subscription.events.iter().filter(|pattern| *pattern != "*").cloned().collect();
        event_matches(&named, event_type)
    }

    /// Whether its filters let an event pass.
    ///
    /// # Errors
    /// Why an expression failed, if no other rule rejects the event.
    pub fn matches(&self, event_type: &str, scope: &Scope) -> Result<bool, String> {
        self.filters.as_ref().map_or(Ok(true), |filters| filters.matches(event_type, scope))
    }

    /// The result of its filters for an event.
    #[must_use]
    pub fn judge(&self, event_type: &str, scope: &Scope) -> Judgement {
        match &self.filters {
            Some(filters) => filters.judge(event_type, scope),
            None => Judgement { matches: true, ..Judgement::default() },
        }
    }
}

/// What is wrong with URL, filters and template of a JSON that is no subscription for other reasons.
pub fn faults_in(json: &str, guard: &TargetGuard) -> Vec<SubscriptionFault> {
    let members = unique_members(json).unwrap_or_default();
    let first = |keys: [&str; 2]| keys.into_iter().find_map(|key| members.get(key));
    let mut faults = Vec::new();
    let url = first(["url", "webhook_url"]).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    faults.extend(url.and_then(|url| read_url(&url, guard).err()));
    if let Some(filters) = members.get("filters").filter(|raw| raw.get().starts_with('{')) {
        let found = Filters::compile(filters).err().unwrap_or_default();
        faults.extend(under("/filters", found));
    }
    if let Some(template) = first(["payload_template", "payload"]).filter(|raw| raw.get() != "null") {
        let found = Template::compile(template).err().unwrap_or_default();
        faults.extend(under("/payload_template", found));
    }
    faults
}

/// Top-level names that no catalogue event has: probably typos.
fn unknown_roots(template: &Template) -> Vec<String> {
    let known = catalog::top_level_names();
    let mut unknown: Vec<&str> = template.roots().into_iter().filter(|root| !known.contains(*root)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
        .into_iter()
        .map(|root| {
            let near = suggestion(root, known.iter().map(String::as_str));
            format!("payload_template: no event of the catalogue has {root:?} at its top{near}")
        })
        .collect()
}

/// What templates and filters can read of an event.
///
/// # Errors
/// When its body is not JSON with a scope.
pub fn scope_of(event: &OutgoingEvent) -> Result<Scope, ScopeFault> {
    let scope = Scope::new(event.event_id.as_deref(), &event.event_type, event.received_at, &event.body)?;
    Ok(scope.about(event.entity.as_deref()))
}

fn under(pointer: &str, faults: Vec<Fault>) -> Vec<SubscriptionFault> {
    faults
        .into_iter()
        .map(|fault| SubscriptionFault::new(format!("{pointer}{}", fault.pointer), fault.message))
        .collect()
}

fn read_url(text: &str, guard: &TargetGuard) -> Result<Url, SubscriptionFault> {
    let url = Url::parse(text)
        .map_err(|fault| SubscriptionFault::new("/url", format!("{fault}; an http or https URL")))?;
    guard.check_url(&url).map_err(|blocked| SubscriptionFault::new("/url", blocked.to_string()))?;
    Ok(url)
}

fn compile_headers(subscription: &Subscription, faults: &mut Vec<SubscriptionFault>) -> Vec<CompiledHeader> {
    let mut headers = Vec::new();
    for header in &subscription.headers {
        match compile_value(&header.value) {
            Ok(value) => headers.push(CompiledHeader { name: header.name.clone(), value }),
            Err(found) => {
                let pointer = pointer::child("/headers", &header.name);
                faults
                    .extend(found.into_iter().map(|fault| SubscriptionFault::new(&*pointer, fault.message)));
            }
        }
    }
    headers
}

fn compile_value(value: &HeaderValue) -> Result<CompiledValue, Vec<Fault>> {
    Ok(match value {
        HeaderValue::Text(text) => CompiledValue::Template(TextTemplate::compile(text)?),
        HeaderValue::Secret(secret) => match template_of(secret) {
            None => CompiledValue::Secret(secret.clone()),
            Some(text) => CompiledValue::SecretTemplate {
                value: TextTemplate::compile(text)?,
                masked: TextTemplate::compile(&mask_header(secret))?,
            },
        },
    })
}
