//! The presets: the URL is an example, the payload is the endpoint's own format.

/// A ready-made subscription.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name in the API.
    pub name: &'static str,
    /// Its display name.
    pub title: &'static str,
    /// What it does, in one sentence.
    pub description: &'static str,
    /// The subscription in the API's format.
    pub subscription: &'static str,
}

/// Every preset.
#[must_use]
pub const fn presets() -> &'static [Preset] {
    &PRESETS
}

macro_rules! presets {
    ($($name:literal $title:literal $description:literal;)*) => {
        const PRESETS: [Preset; [$($name),*].len()] = [$(Preset {
            name: $name,
            title: $title,
            description: $description,
            subscription: include_str!(concat!($name, ".json")),
        }),*];
    };
}

presets! {
    "slack" "Slack" "Alerts as a Block Kit message to an incoming webhook of Slack.";
    "teams" "Microsoft Teams" "New users as an Adaptive Card to a workflow of Teams.";
    "zapier" "Zapier" "Thresholds as flat fields to a catch hook of Zapier.";
    "crm" "CRM" "Log-ins as user activity of a CRM.";
    "analytics" "Analytics" "Viewed dashboards as events of an analytics platform.";
    "warehouse" "Data warehouse" "Received data as rows of a warehouse, many in one request.";
    "alerting" "Alert management" "Threshold alerts as incidents of an alert manager.";
    "workflow" "Workflow automation" "New users as the trigger of a workflow.";
    "notification" "Notification service" "Maintenance as a broadcast.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::domain::Timestamp;
    use crate::send::language::Scope;
    use crate::send::language::Template;
    use serde_json::Value;
    use serde_json::value::RawValue;

    #[derive(serde::Deserialize)]
    struct Parts {
        events: Vec<String>,
        payload_template: Box<RawValue>,
    }

    #[test]
    fn every_preset_renders_the_example_of_its_event_without_a_gap() {
        for preset in presets() {
            let parts: Parts = serde_json::from_str(preset.subscription).unwrap();
            let (template, warnings) = Template::compile(&parts.payload_template).unwrap();
            assert!(warnings.is_empty(), "{}: {warnings:?}", preset.name);
            for event in parts.events {
                let example = Catalog::builtin().get(&event).unwrap().example().unwrap().to_owned();
                let scope =
                    Scope::new(Some("e1"), &event, Timestamp::from_secs(0), example.as_bytes()).unwrap();
                let rendered = template.render(&scope);
                assert!(
                    rendered.missing.is_empty() && rendered.errors.is_empty(),
                    "{}: {rendered:?}",
                    preset.name
                );
                assert!(serde_json::from_str::<Value>(&rendered.text).is_ok(), "{}", preset.name);
            }
        }
    }
}
