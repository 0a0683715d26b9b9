//! Listens, and serves until a signal ends the program.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use anyhow::bail;
use hmt_core::cli::daemon::PidFile;
use hmt_core::cli::{self, Messages};
use hmt_core::mock::{self, AdminServer, Callbacks, Catalogue, Mock};
use hmt_core::net::{bind, ready_line};
use hmt_core::stream::Written;
use tokio::net::TcpListener;

use crate::args::{AdminPort, Config};
use crate::specs::Specs;
use crate::{TOOL, log};

/// The default port of the admin endpoints.
const ADMIN_PORT: u16 = 8888;

/// Starts everything that the flags request, and serves.
///
/// # Errors
/// A port, a file or a callback that cannot be used; a log that is not complete.
pub(crate) async fn serve(
    config: Config,
    messages: &Messages,
    specs: Specs,
    catalogue: Catalogue,
) -> anyhow::Result<()> {
    let shutdown = cli::shutdown()?;
    let mut mock = Mock::new(catalogue, config.settings.clone());
    if let Some(path) = &config.state_file
        && let Some(warning) = mock.world().storage().keep_in(path)?
    {
        messages.warn(warning);
    }
    mock.allow_webhooks(config.allow_webhook.clone());
    if let Some(folder) = &config.callback_dir {
        let report = config.serving.report.clone();
        mock.set_callbacks(Callbacks::start(folder, report).await?);
    }
    let listener = bind(config.address, config.port, "-p/--port").await?;
    let admin = listen_admin(&config).await?;
    let log = log::start(&config)?;
    let address = listener.local_addr()?;
    let _pid_file = PidFile::claim_in_background(TOOL, address.port())?;
    let ready = ready_line(address, &config.serving.protocols);
    messages.ready(&ready);
    if let Some(admin) = &admin {
        messages.ready(mock::admin_ready_line(admin.local_addr()?));
    }
    if config.for_people {
        let url = ready.rsplit(' ').next().unwrap_or_default();
        mock::banner(&mock.catalogue(), url).iter().for_each(|line| messages.ready(line));
    }
    let mock = Arc::new(mock);
    config.behaviour.apply(mock.world())?;
    specs.attach(&mock, messages, config.watch);
    let token = config.admin_token;
    let admin = admin.map(|listener| AdminServer { listener, token });
    let served = mock::serve(mock, listener, admin, log, config.serving, shutdown).await?;
    if served.cut > 0 {
        messages.warn(format_args!("{} requests were aborted", served.cut));
    }
    let Some(Written { written, lost, error }) = served.written else { return Ok(()) };
    messages.warn(format_args!("served exchanges: {written} written, {lost} lost"));
    match error {
        Some(error) => bail!("some served exchanges were not written: {error}"),
        None => Ok(()),
    }
}

/// Listens for the admin endpoints. They are on loopback only, unless a token protects them.
async fn listen_admin(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    let token = config.admin_token.is_some();
    let address = if token { config.address } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    let flag = "-a/--admin-port";
    Ok(match config.admin {
        AdminPort::None => None,
        AdminPort::Given(port) => Some(bind(address, port, flag).await?),
        // A second mock needs no flag other than its port.
        AdminPort::Default => match bind(address, ADMIN_PORT, flag).await {
            Err(error) if error.is_in_use() => Some(bind(address, 0, flag).await?),
            bound => Some(bound?),
        },
    })
}
