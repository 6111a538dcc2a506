//! The 32 events of the specification and our own three, compiled in from `catalog/`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

/// One compiled-in event.
pub struct Builtin {
    /// The canonical name.
    pub name: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// Other names that senders use for it.
    pub aliases: &'static [&'static str],
    /// JSON Schema: the required contents.
    pub schema: &'static str,
    /// JSON Schema: the usual contents.
    pub shape: &'static str,
    /// A realistic payload.
    pub example: &'static str,
}

macro_rules! events {
    ($($name:literal $title:literal [$($alias:literal),*];)*) => {
        /// Every event, in the order of the specification.
        pub const EVENTS: &[Builtin] = &[$(Builtin {
            name: $name,
            title: $title,
            aliases: &[$($alias),*],
            schema: include_str!(concat!("../../catalog/schemas/", $name, ".json")),
            shape: include_str!(concat!("../../catalog/shapes/", $name, ".json")),
            example: include_str!(concat!("../../catalog/examples/", $name, ".json")),
        },)*];
    };
}

events! {
    "user.login" "A user logged in" ["user.logged_in"];
    "user.logout" "A user logged out, or the session expired" [];
    "user.login_failed" "A login failed" ["login.failed"];
    "user.password_reset" "A user reset the password" [];
    "user.two_factor" "Two-factor authentication was set up or used" [];
    "user.registration" "A user account was created" ["user.registered", "user.created"];
    "user.profile_updated" "A user's profile changed" [];
    "user.permissions_changed" "A user's access rights changed" [];
    "user.deletion_requested" "A user asked for the account to be removed" [];
    "user.role_assigned" "A user's role changed" [];
    "data.received" "Data points of a device arrived" [];
    "data.threshold" "A value went over its threshold"
        ["device_alert", "data.threshold_exceeded", "threshold_exceeded"];
    "device.status_changed" "A device went online or offline" [];
    "data.quality_alert" "Data of a device is doubtful" [];
    "data.batch_completed" "A batch of data was processed" [];
    "dashboard.viewed" "A dashboard was opened" ["dashboard_view"];
    "dashboard.widget_interacted" "A widget was used" [];
    "dashboard.report_generated" "A report was made" [];
    "dashboard.exported" "Data was exported from a dashboard" [];
    "dashboard.shared" "A dashboard was shared" [];
    "system.maintenance" "Maintenance was scheduled, began or ended" [];
    "system.performance_alert" "A performance figure went over its limit" [];
    "system.error" "An error of the application" [];
    "system.security_incident" "A security incident" [];
    "system.backup" "A backup or a restore" [];
    "admin.config_changed" "The configuration changed" [];
    "admin.user_managed" "An administrator changed a user" [];
    "admin.access_changed" "A permission or policy changed" [];
    "admin.audit" "An entry of the audit log" [];
    "admin.integration_status_changed" "An integration connected or disconnected" [];
    "system.alert" "An alert" [];
    "webhook.test" "A test event" [];
    "message.dead" "Messages to an endpoint ran out of attempts (our own)" [];
    "endpoint.disabled" "An endpoint said that it is gone (our own)" [];
    "device.silent" "A device has sent nothing for longer than usual (our own)" [];
}

/// The canonical name of a built-in event: aliases are resolved, any other name or pattern stays unchanged.
#[must_use]
pub fn canonical(name: &str) -> &str {
    let known = EVENTS.iter().find(|event| event.aliases.contains(&name));
    known.map_or(name, |event| event.name)
}

/// The names of the built-in events, including aliases.
pub fn names() -> impl Iterator<Item = &'static str> {
    EVENTS.iter().flat_map(|event| std::iter::once(event.name).chain(event.aliases.iter().copied()))
}

/// The top-level member names in the catalogue's examples, and `event` itself.
#[must_use]
pub fn top_level_names() -> &'static BTreeSet<String> {
    static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let examples = EVENTS.iter().filter_map(|event| serde_json::from_str::<Value>(event.example).ok());
        let mut names: BTreeSet<String> = examples
            .filter_map(|example| {
                example.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>())
            })
            .flatten()
            .collect();
        names.insert("event".to_owned());
        names
    });
    &NAMES
}
