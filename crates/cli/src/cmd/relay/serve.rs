//! `relay serve`: lets devices in until a signal, and says on which port.
//!
//! **What leaves this machine is encrypted, whatever is said**: by the relay's own key, which its devices know
//! from their enrolment, or by a certificate of an operator's. Plain HTTP is for this machine alone.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;
use tokio::net::TcpListener;
use wangge_relay::{
    Certificate, Claim, LeaseDays, LevelForm, Relay, RelayError, Tls, UpstreamTrouble,
    UpstreamView, serve_claimed,
};

use super::{LevelWord, held};
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::typed;
use crate::ui::{Tone, tone};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address and port; port 0 takes a free one and says which
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8720", value_parser = typed::folded)]
    listen: String,
    /// What people call the relay; counts at the first start
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where in the tree it stands, township if not said; counts at the first start
    #[arg(long, value_name = "LEVEL")]
    level: Option<LevelWord>,
    /// The relay above; it must have been joined, or the code be given
    #[arg(long, value_name = "URL", value_parser = typed::folded)]
    upstream: Option<String>,
    /// The code of the invitation the relay above made; not needed once joined
    #[arg(long, value_name = "CODE", requires = "upstream")]
    code: Option<String>,
    /// How many days a worker's device shows data without a sync; 1 to 60
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=60))]
    lease_worker: u32,
    /// How many days a desk's device does; 1 to 60
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=60))]
    lease_desk: u32,
    /// Show this certificate, PEM with its chain, in place of the relay's own
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A program on this machine encrypts for other machines, and says for whom by X-Forwarded-For
    #[arg(long, conflicts_with = "tls_cert")]
    behind_proxy: bool,
    /// Stop when stdin ends, as a child of another program
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let address: SocketAddr = args.listen.parse().map_err(|_| Failure::Usage {
        message: lang.no_address(&args.listen),
        hint: "wangge relay serve --listen 127.0.0.1:8720".to_owned(),
    })?;
    if !address.ip().is_loopback() && args.behind_proxy {
        return Err(Failure::NotLoopback {
            address: args.listen.clone(),
        });
    }
    super::not_a_device(context)?;
    log_to_stderr();
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| lang.relay_name().to_owned());
    let home = context.relay_home()?;
    let level = args.level.unwrap_or(LevelWord::Township);
    let mut settings = super::settings(name, level.into());
    settings.packs = Some(held::packs());
    settings.tls = shown(args)?;
    settings.lease_days = LeaseDays {
        worker: args.lease_worker,
        desk: args.lease_desk,
    };
    // The database's index is mapped into memory: on a full disk the system would end this process.
    Relay::check_room(&home)?;
    // Bound before a relay is made: a start that fails must not decide name and level for good.
    let listener = bind(address).map_err(|error| cannot_listen(args, &error));
    let listener = match Relay::left_in(&home) {
        // Another program that serves this folder is named first, whoever has the port.
        true => listener,
        false => Ok(listener?),
    };
    let mut relay = Relay::open(&home, &settings)?;
    // First of all: what another program serves is neither joined to anything nor announced.
    let claim = relay.claim()?;
    let listener = listener?;
    say_recorded(context, &relay, args);
    if join(&relay, args)? {
        // Opened anew: what it learnt by joining counts from the start.
        relay = Relay::open(&home, &settings)?;
    }
    block_on(listen(context, relay, claim, listener, args))?
}

/// Returns how what goes over the line is kept from others.
fn shown(args: &Args) -> Result<Tls, Failure> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|error| Failure::Unreadable {
            path: path.display().to_string(),
            reason: error.to_string(),
        })
    };
    match (&args.tls_cert, &args.tls_key) {
        (Some(chain), Some(key)) => {
            let certificate = Certificate::read(&read(chain)?, &read(key)?)?;
            Ok(Tls::Certificate(certificate))
        }
        _ if args.behind_proxy => Ok(Tls::BehindProxy),
        _ => Ok(Tls::ByAddress),
    }
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn cannot_listen(args: &Args, error: &std::io::Error) -> Failure {
    Failure::CannotListen {
        address: args.listen.clone(),
        reason: error.to_string(),
    }
}

/// Says so where name or level are not those that were recorded at the first start.
fn say_recorded(context: &Context, relay: &Relay, args: &Args) {
    let (card, lang) = (relay.card(0), context.ui.lang);
    let other_name = args.name.as_ref().is_some_and(|name| *name != card.name);
    let other_level = args
        .level
        .is_some_and(|word| LevelForm::from(word) != card.level);
    if other_name || other_level {
        let level = lang.code("level", super::upstream::word(card.level));
        context
            .ui
            .talk(&tone(Tone::Warn, &lang.recorded_already(&card.name, level)));
    }
}

/// Goes below the relay that was named, unless it is there already.
fn join(relay: &Relay, args: &Args) -> Result<bool, Failure> {
    let Some(url) = &args.upstream else {
        return Ok(false);
    };
    let known = relay.upstream()?;
    let same = |known: &UpstreamView| known.url == url.trim_end_matches('/');
    match (&args.code, known) {
        // A service is started with the same words each time: a code that did its work is not asked again.
        (_, Some(known)) if same(&known) => Ok(false),
        (None, Some(known)) => {
            let (name, url) = (known.name, known.url);
            Err(RelayError::Upstream(UpstreamTrouble::Below { name, url }).into())
        }
        (None, None) => Err(RelayError::Upstream(UpstreamTrouble::None).into()),
        (Some(code), _) => {
            block_on(relay.join(code, url))??;
            Ok(true)
        }
    }
}

async fn listen(
    context: &Context,
    relay: Relay,
    claim: Claim,
    listener: std::net::TcpListener,
    args: &Args,
) -> Result<Exit, Failure> {
    let cannot = |error| cannot_listen(args, &error);
    let stop = stop_signal(args.until_stdin_ends).map_err(cannot)?;
    let listener = TcpListener::from_std(listener).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let plain = args.tls_cert.is_none() && address.ip().to_canonical().is_loopback();
    let scheme = if plain { "http" } else { "https" };
    let (bound, url) = (address.to_string(), format!("{scheme}://{address}"));
    if context.ui.json.is_some() {
        let said = json!({ "listening": bound, "url": url });
        context.ui.json_line(&said);
    } else {
        context.ui.data(&context.ui.lang.listening(&url));
    }
    serve_claimed(relay, claim, listener, stop).await?;
    Ok(Exit::Done)
}

/// Returns what ends when the relay is told to stop; the signals are caught from now on.
fn stop_signal(
    until_stdin_ends: bool,
) -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    if until_stdin_ends {
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            // Whatever ends stdin ends the relay, an error too.
            let _ = std::io::stdin().read_to_end(&mut rest);
            let _ = sender.send(());
        });
        return Ok(either(Some(receiver), signals()?));
    }
    Ok(either(None, signals()?))
}

async fn either(
    stdin: Option<tokio::sync::oneshot::Receiver<()>>,
    signals: impl Future<Output = ()> + Send + 'static,
) {
    match stdin {
        None => signals.await,
        Some(stdin) => tokio::select! {
            _ = stdin => {}
            () = signals => {}
        },
    }
}

#[cfg(unix)]
fn signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// Sends what the relay notes to stderr, as much as `WANGGE_LOG` asks for: `error` to `trace`.
fn log_to_stderr() {
    let level = std::env::var("WANGGE_LOG")
        .ok()
        .and_then(|word| word.parse().ok());
    let level = level.unwrap_or(tracing::Level::WARN);
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
