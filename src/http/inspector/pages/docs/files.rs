//! The files of the documentation, compiled in: pages, and the files and pictures that they link to.

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// Each file: its path in the project, and its bytes.
        pub const FILES: &[(&str, &[u8])] =
            &[$(($path, include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path)))),*];
    };
}

files! {
    "docs/README.md",
    "docs/guide/quick-start.md",
    "docs/guide/reachable.md",
    "docs/guide/configure.md",
    "docs/guide/secure.md",
    "docs/guide/debug.md",
    "docs/guide/develop.md",
    "docs/guide/forward.md",
    "docs/guide/operate.md",
    "docs/guide/postgresql.md",
    "docs/explanations/guarantees.md",
    "docs/explanations/signatures.md",
    "docs/explanations/idempotency.md",
    "docs/reference/commands.md",
    "docs/reference/configuration.md",
    "docs/reference/api.md",
    "docs/reference/events.md",
    "docs/reference/metrics.md",
    "docs/API.md",
    "docs/ARCHITECTURE.md",
    "docs/CLI.md",
    "docs/EXPRESSIONS.md",
    "docs/HANDSHAKES.md",
    "docs/LOGGING.md",
    "docs/PERFORMANCE.md",
    "docs/SCALING.md",
    "docs/verify/README.md",
    "docs/verify/Verify.java",
    "docs/verify/verify.mjs",
    "docs/verify/verify.php",
    "docs/verify/verify.py",
    "docs/verify/verify.rb",
    "docs/pictures/connect.png",
    "docs/pictures/list.png",
    "docs/pictures/overview.png",
    "docs/pictures/subscription.png",
    "SECURITY.md",
    "config/default.toml",
    "deploy/build.sh",
    "deploy/compose-postgres.yml",
    "deploy/docker/Dockerfile",
    "deploy/grafana/tagohook.json",
    "deploy/kubernetes/tagohook.yaml",
    "deploy/postgres/roles.sql",
    "deploy/prometheus/prometheus.yml",
    "deploy/prometheus/rules.yml",
    "deploy/proxies/README.md",
    "deploy/proxies/Caddyfile",
    "deploy/proxies/apache.conf",
    "deploy/proxies/haproxy.cfg",
    "deploy/proxies/nginx.conf",
    "deploy/proxies/varnish.vcl",
    "deploy/release.sh",
    "deploy/systemd/tagohook.service",
    "examples/tagoio-analysis/README.md",
    "examples/tagoio-analysis/analysis.js",
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What is for those who work on the program.
    const NOT_SERVED: [&str; 2] = ["docs/CASES.md", "docs/RELEASING.md"];

    fn markdown_below(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                markdown_below(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let inside = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
                found.push(inside.to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn every_document_is_served_except_decisions_and_those_for_contributors() {
        let mut documents = Vec::new();
        markdown_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs"), &mut documents);
        assert!(documents.len() > 60, "docs/ was not read");
        documents.retain(|path| !path.starts_with("docs/decisions/") && !NOT_SERVED.contains(&path.as_str()));
        let missing: Vec<&String> =
            documents.iter().filter(|path| !FILES.iter().any(|(known, _)| known == path)).collect();
        assert_eq!(missing, Vec::<&String>::new());
    }

    #[test]
    fn the_documentation_stays_small() {
        let bytes: usize = FILES.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes < 1_500_000, "{bytes} bytes");
    }
}
