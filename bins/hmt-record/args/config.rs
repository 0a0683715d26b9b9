//! Converts the arguments to the library's configuration.

use std::fs;
use std::io::IsTerminal as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use hmt_core::check::Checker;
use hmt_core::cli::{Failure, Messages};
use hmt_core::exchange::{
    RedactOptions, Redactor, Selection, default_key_path, load_or_create_key,
};
use hmt_core::net::{Limits, Target};
use hmt_core::record::{
    Authority, AuthorityError, Backpressure, DeliveryPolicy, Durability, OnSinkError, Proxies,
    RecorderConfig, Routing, TargetPolicy, Trust,
};
use hmt_core::spec::load_with_files;
use hmt_core::stream::{Locator, Rotation, Topic};

use super::sinks::is_same_place;
use super::{Args, Broken, Durable, Slow};

/// The configuration of `hmt-record start`.
pub(crate) struct Start {
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
    pub(crate) config: RecorderConfig,
    pub(crate) outputs: Vec<Locator>,
    pub(crate) rotation: Rotation,
    /// Whether a status line is wanted, if there is a terminal.
    pub(crate) watched: bool,
    pub(crate) messages: Messages,
}

/// The configuration of `hmt-record import`.
pub(crate) struct Import {
    pub(crate) sources: Vec<Locator>,
    pub(crate) outputs: Vec<Locator>,
    pub(crate) rotation: Rotation,
    pub(crate) redactor: Option<Redactor>,
    pub(crate) strict: bool,
    pub(crate) messages: Messages,
}

impl Args {
    pub(super) fn start(self) -> anyhow::Result<Start> {
        let messages = Messages::new("hmt-record", self.quiet);
        let routing = self.routing()?;
        if !self.bind.is_loopback() {
            if self.allow_host.is_empty() && self.target.is_none() {
                return Err(Failure::usage(format!(
                    "listening on {} would let anyone on the network reach any host through this machine; limit the targets with --target URL or --allow-host PATTERN",
                    self.bind
                )));
            }
            messages.warn(format_args!(
                "listening on {}: others on the network can use this recorder",
                self.bind
            ));
        }
        let policy =
            TargetPolicy { allow_hosts: self.allow_host.clone(), deny_private: self.deny_private };
        if let Routing::Fixed(target) = &routing
            && policy.check_name(target).is_err()
        {
            let target = &target.host;
            let why = format!("no --allow-host pattern matches the host of --target, {target}");
            return Err(Failure::usage(why));
        }
        let trust = self.trust(&messages)?;
        let report = messages.clone();
        let trace = move |text: &str| report.warn(text);
        let config = RecorderConfig {
            routing,
            policy,
            trust,
            proxies: self.proxies()?,
            authority: self.authority(&messages)?,
            filter: Selection {
                hosts: Vec::new(),
                include: self.include.clone(),
                exclude: self.exclude.clone(),
            },
            spec: self.spec.as_deref().map(|path| spec(path, &messages)).transpose()?,
            delivery: self.delivery(),
            max_body: usize::try_from(self.max_body).unwrap_or(usize::MAX),
            via: self.via,
            rewrite_redirects: !self.no_rewrite_redirects,
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            grace: self.grace,
            redactor: self.redactor()?,
            watch: None,
            trace: if self.verbose { Some(Arc::new(trace)) } else { None },
            limits: Limits::default(),
        };
        if config.delivery.durability == Durability::Buffered {
            messages.warn(
                "--durable buffered: a kill can lose the records of one second, at most 4 MiB",
            );
        }
        let outputs = self.outputs()?;
        let rotation = self.rotation();
        // The status line would mix with lines for each exchange, or with records.
        let to_terminal = outputs.contains(&Locator::Stdio) && std::io::stdout().is_terminal();
        let watched = !self.quiet && !self.verbose && !to_terminal;
        let (ip, port) = (self.bind, self.port);
        Ok(Start { ip, port, config, outputs, rotation, watched, messages })
    }

    pub(super) fn import(self) -> anyhow::Result<Import> {
        if self.locators.is_empty() {
            return Err(Failure::usage(
                "nothing to import; name files, folders, topics, or - for standard input",
            ));
        }
        let outputs = self.outputs()?;
        for source in &self.locators {
            if outputs.iter().any(|output| is_same_place(source, output)) {
                let why = format!("{source} is both an input and the output; name another --out");
                return Err(Failure::usage(why));
            }
        }
        Ok(Import {
            outputs,
            rotation: self.rotation(),
            redactor: self.redactor()?,
            strict: self.strict,
            messages: Messages::new("hmt-record", self.quiet),
            sources: self.locators,
        })
    }

    fn routing(&self) -> anyhow::Result<Routing> {
        match &self.target {
            None if self.header_routing => Ok(Routing::Header),
            None => Ok(Routing::Path),
            Some(url) => match Target::from_url(url) {
                Ok(target) if target.query().is_empty() => Ok(Routing::Fixed(target)),
                Ok(_) => Err(Failure::usage(format!(
                    "--target {url}: a target URL cannot have a query; remove it"
                ))),
                Err(_) if Target::from_url(&format!("http://{url}")).is_ok() => {
                    let why = format!("--target {url}: no scheme; use --target http://{url}");
                    Err(Failure::usage(why))
                }
                Err(error) => Err(Failure::usage(format!("--target {url}: {error}"))),
            },
        }
    }

    fn trust(&self, messages: &Messages) -> anyhow::Result<Trust> {
        let trust = if self.insecure {
            messages.warn("--insecure: certificates of targets are not checked");
            Trust::accept_any()
        } else if let Some(path) = &self.upstream_ca {
            let name = || format!("--upstream-ca {}", path.display());
            Trust::new(Some(&fs::read(path).with_context(name)?)).with_context(name)?
        } else {
            Trust::new(None)?
        };
        let (Some(chain), Some(key)) = (&self.client_cert, &self.client_key) else {
            return Ok(trust);
        };
        let read = |flag: &str, path: &Path| {
            fs::read(path).with_context(|| format!("{flag} {}", path.display()))
        };
        let (chain_pem, key_pem) = (read("--client-cert", chain)?, read("--client-key", key)?);
        trust.with_identity(&chain_pem, &key_pem).with_context(|| {
            format!("--client-cert {} --client-key {}", chain.display(), key.display())
        })
    }

    fn proxies(&self) -> anyhow::Result<Proxies> {
        let variable = |name: &str| std::env::var_os(name);
        match &self.upstream_proxy {
            // The URL may contain a password, so it is not shown.
            Some(url) => Proxies::one(url, variable)
                .map_err(|error| Failure::usage(format!("--upstream-proxy: {error}"))),
            None => Proxies::from_environment(variable)
                .map_err(|(name, error)| Failure::usage(format!("{name}: {error}"))),
        }
    }

    fn authority(&self, messages: &Messages) -> anyhow::Result<Option<Authority>> {
        if !self.forward {
            return Ok(None);
        }
        let folder = match &self.ca_dir {
            Some(folder) => folder.clone(),
            None => default_key_path(|name| std::env::var_os(name))
                .context("HOME is not set, so there is no folder for the certificate authority; name one with --ca-dir")?
                .with_file_name("ca"),
        };
        let authority = match Authority::load_or_create(&folder) {
            Err(error @ AuthorityError::Exposed { .. }) => {
                return Err(Failure::usage(error.to_string()));
            }
            loaded => loaded?,
        };
        messages.warn(format_args!(
            "clients of --forward must trust {}",
            authority.certificate().display()
        ));
        Ok(Some(authority))
    }

    fn redactor(&self) -> anyhow::Result<Option<Redactor>> {
        if self.keep_secrets {
            return Ok(None);
        }
        let path = match &self.redact_key {
            Some(path) => path.clone(),
            None => default_key_path(|name| std::env::var_os(name)).context(
                "HOME is not set, so there is no file for the key of the pseudonyms; name one with --redact-key",
            )?,
        };
        let key = load_or_create_key(&path)?;
        let options = RedactOptions {
            add: self.redact.clone(),
            add_json: self.redact_json.clone(),
            add_value: self.redact_value.clone(),
            keep: self.keep.clone(),
        };
        match Redactor::new(&key, &options) {
            Ok(redactor) => Ok(Some(redactor)),
            Err(error) => Err(Failure::usage(error.to_string())),
        }
    }

    fn delivery(&self) -> DeliveryPolicy {
        DeliveryPolicy {
            durability: match self.durable {
                Durable::Kernel => Durability::Kernel,
                Durable::Fsync => Durability::Fsync,
                Durable::Acked => Durability::Acked,
                Durable::Buffered => Durability::Buffered,
            },
            backpressure: match self.on_backpressure {
                Slow::Wait => Backpressure::Wait,
                Slow::Drop => Backpressure::Drop,
            },
            on_error: match self.on_sink_error {
                Broken::Stop => OnSinkError::Stop,
                Broken::Drop => OnSinkError::Drop,
            },
        }
    }

    fn rotation(&self) -> Rotation {
        Rotation { size: self.rotate_size, every: self.rotate_every }
    }

    pub(super) fn outputs(&self) -> anyhow::Result<Vec<Locator>> {
        let mut outputs = self.out.clone();
        outputs.extend(self.log_dir.clone().map(Locator::Dir));
        if self.kafka_broker.is_some() || self.kafka_topic.is_some() {
            let topic = Topic::of(self.kafka_broker.as_deref(), self.kafka_topic.as_deref(), None)
                .map_err(|error| Failure::usage(error.to_string()))?;
            outputs.push(Locator::Kafka(Box::new(topic)));
        }
        if outputs.is_empty() {
            outputs.push(Locator::Stdio);
        }
        Ok(outputs)
    }
}

/// The document that exchanges are checked against.
fn spec(path: &Path, messages: &Messages) -> anyhow::Result<Checker> {
    let name = || format!("--spec {}", path.display());
    let (document, _) = load_with_files(path, None).with_context(name)?;
    let checker = Checker::new(&[document]).with_context(name)?;
    for warning in checker.apis().iter().flat_map(|api| &api.warnings) {
        messages.warn(format_args!("{}: {warning}", path.display()));
    }
    Ok(checker)
}
