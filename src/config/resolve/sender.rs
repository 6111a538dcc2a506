//! `[sender]`

use super::Read;
use crate::config::fault::Origin;
use crate::config::forward_proxy::{ForwardProxy, Wish};
use crate::config::secrets::SecretResolver;
use crate::config::types::SenderConfig;

impl Read<'_> {
    pub(super) fn sender(&mut self, notices: &mut Vec<String>) -> Option<SenderConfig> {
        let deny_private = self.flag("sender", "deny_private");
        let lease = self.duration("sender", "lease");
        let health_interval = self.duration("sender", "health_interval");
        let proxy = self.proxy(notices);
        Some(SenderConfig {
            deny_private: deny_private?,
            lease: lease?,
            health_interval: health_interval?,
            proxy: proxy?,
        })
    }

    fn proxy(&mut self, notices: &mut Vec<String>) -> Option<ForwardProxy> {
        let section = "sender";
        let wish = Wish {
            proxy: self.text(section, "proxy")?,
            is_in_file: matches!(self.layers.value(section, "proxy")?.origin, Origin::File(..)),
            no_proxy: self.texts(section, "no_proxy")?,
            resolves: self.flag(section, "proxy_resolves")?,
        };
        let secrets = SecretResolver::new(self.data_dir.to_owned(), self.env);
        match ForwardProxy::read(wish, self.env, |name| secrets.resolve(name), notices) {
            Ok(proxy) => Some(proxy),
            Err(what) => self.fault(section, "proxy", &what),
        }
    }
}
