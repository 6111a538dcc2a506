//! The confirmation links of AWS. Only AWS's own confirmation addresses are ever opened.

use url::{Host, Url};

use crate::domain::Handshake;

/// The longest link, in bytes.
const LONGEST: usize = 4096;

/// The link to open, if it is a confirmation address of that platform: https, the service's host in a region, and only
/// the confirmation query.
#[must_use]
pub fn confirmation_link(kind: Handshake, link: &str) -> Option<String> {
    let url = Url::parse(link).ok().filter(|_| link.len() <= LONGEST)?;
    let is_plain = url.scheme() == "https"
        && url.username().is_empty()
        && url.password().is_none()
        && url.port().is_none()
        && url.fragment().is_none();
    let Some(Host::Domain(host)) = url.host() else { return None };
    let leads = match kind {
        Handshake::AwsIot => {
            let token = url.path().strip_prefix("/confirmdestination/")?;
            is_of(host, "iot") && url.query().is_none() && is_token(token)
        }
        Handshake::AwsSns => is_of(host, "sns") && url.path() == "/" && confirms(&url),
        _ => false,
    };
    (is_plain && leads).then(|| url.to_string())
}

/// Whether `host` belongs to a service in a region: `sns.eu-central-1.amazonaws.com`, in China with `.cn`.
fn is_of(host: &str, service: &str) -> bool {
    let region = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"))
        .and_then(|rest| rest.strip_prefix(service)?.strip_prefix('.'));
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    region.is_some_and(|region| !region.is_empty() && region.len() <= 32 && region.bytes().all(is_letter))
}

fn is_token(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+=.~%".contains(&byte);
    !text.is_empty() && text.bytes().all(is_letter)
}

/// Whether a query confirms a subscription and contains nothing else.
fn confirms(url: &Url) -> bool {
    let mut is_confirmation = false;
    let mut has_token = false;
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "Action" if value == "ConfirmSubscription" && !is_confirmation => is_confirmation = true,
            "Token" if !value.is_empty() && !has_token => has_token = true,
            "TopicArn" if value.starts_with("arn:") => {}
            _ => return false,
        }
    }
    is_confirmation && has_token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_confirmation_addresses_of_aws_are_links() {
        let iot = |link: &str| confirmation_link(Handshake::AwsIot, link).is_some();
        let sns = |link: &str| confirmation_link(Handshake::AwsSns, link).is_some();
        assert!(iot("https://iot.us-east-1.amazonaws.com/confirmdestination/AYADeMXLrPrNY2wqJAKsFNn-NBJndA"));
        assert!(iot("https://iot.cn-north-1.amazonaws.com.cn/confirmdestination/A"));
        assert!(sns(
            "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:MyTopic&Token=2336412f37"
        ));
        for link in [
            "http://iot.us-east-1.amazonaws.com/confirmdestination/A",
            "https://iot.us-east-1.amazonaws.com.evil.example/confirmdestination/A",
            "https://iot.us-east-1.amazonaws.com@evil.example/confirmdestination/A",
            "https://evil.example/confirmdestination/A",
            "https://evil.example#.iot.us-east-1.amazonaws.com/confirmdestination/A",
            "https://iot.us-east-1.amazonaws.com:8443/confirmdestination/A",
            "https://user@iot.us-east-1.amazonaws.com/confirmdestination/A",
            "https://iot.evil.example.amazonaws.com/confirmdestination/A",
            "https://bucket.s3.amazonaws.com/confirmdestination/A",
            "https://iot.us-east-1.amazonaws.com/confirmdestination/../things",
            "https://iot.us-east-1.amazonaws.com/confirmdestination/A/B",
            "https://iot.us-east-1.amazonaws.com/confirmdestination/A?x=1",
            "https://iot.us-east-1.amazonaws.com/confirmdestination/",
            "https://169.254.169.254/confirmdestination/A",
            "https://[::1]/confirmdestination/A",
            "file:///confirmdestination/A",
            "",
        ] {
            assert!(!iot(link), "{link}");
        }
        for link in [
            "https://sns.us-west-2.amazonaws.com/?Action=Publish&Token=x&TopicArn=arn:a",
            "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Action=Publish&Token=x",
            "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com/other?Action=ConfirmSubscription&Token=x",
            "https://iot.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=x",
        ] {
            assert!(!sns(link), "{link}");
        }
        assert_eq!(
            confirmation_link(Handshake::Slack, "https://iot.us-east-1.amazonaws.com/confirmdestination/A"),
            None
        );
    }
}
