//! `unlock` and `lock`: the key of a home in the memory of one process, for a while.

use std::time::Duration;

use serde_json::json;
use wangge_agent::keys::Keys;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::typed;

/// How long a home stays unlocked without being used, minutes.
const IDLE_MINUTES: u64 = 30;
/// The longest that a home stays unlocked, minutes.
const MOST_MINUTES: u64 = 24 * 60;

#[derive(Debug, clap::Args)]
pub(crate) struct Unlock {
    /// For how long at most, such as 4h or 90m; it locks by itself after half an hour without a command
    #[arg(long = "for", value_name = "TIME", default_value = "4h")]
    most: String,
}

/// What the process is told that holds the key.
#[derive(Debug, clap::Args)]
pub(crate) struct Hold {
    /// At most, seconds
    #[arg(long)]
    most: u64,
    /// Without being used, seconds
    #[arg(long)]
    idle: u64,
}

/// Returns how long was typed.
fn how_long(context: &Context, typed: &str) -> Result<Duration, Failure> {
    let minutes = typed::minutes(typed).filter(|minutes| (1..=MOST_MINUTES).contains(minutes));
    let minutes = minutes.ok_or_else(|| Failure::Usage {
        message: context.ui.lang.no_time(typed),
        hint: "wangge unlock --for 4h".to_owned(),
    })?;
    Ok(Duration::from_secs(minutes * 60))
}

#[cfg(unix)]
pub(crate) fn unlock(context: &Context, args: &Unlock) -> Result<Exit, Failure> {
    use std::io::{Read as _, Write as _};
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    let lang = context.ui.lang;
    let most = how_long(context, &args.most)?;
    let dir = context.home()?;
    let machine = context.machine_asking();
    // A home that no word locks has nobody to hold its key.
    if wangge_agent::keys::word_of(&dir)?.is_none() {
        drop(context.open()?);
        context
            .ui
            .show(&json!({"unlocked": true, "word": null}), || {
                lang.no_word_yet().to_owned()
            });
        return Ok(Exit::Done);
    }
    let now_ms = (machine.now_ms)();
    let keys = Keys::open(&dir, &machine)?;
    let idle = Duration::from_secs(IDLE_MINUTES * 60).min(most);
    let mut holder = Command::new(std::env::current_exe().map_err(broken)?)
        .args(["hold-key", "--most", &most.as_secs().to_string()])
        .args(["--idle", &idle.as_secs().to_string()])
        .arg("--home")
        .arg(&dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A terminal that is closed, or an interrupted command, ends others only.
        .process_group(0)
        .spawn()
        .map_err(broken)?;
    let mut told = Vec::new();
    if let (Some(mut to), Some(from)) = (holder.stdin.take(), holder.stdout.take()) {
        to.write_all(keys.master().as_bytes()).map_err(broken)?;
        drop(to);
        // It says one byte when it answers, or ends.
        from.take(1).read_to_end(&mut told).map_err(broken)?;
    }
    if told.is_empty() {
        let _ = holder.wait();
        return Err(Failure::NotHeld);
    }
    let until_ms = now_ms.saturating_add(i64::try_from(most.as_millis()).unwrap_or(i64::MAX));
    let value = json!({
        "unlocked": true, "until_ms": until_ms, "idle_minutes": idle.as_secs() / 60,
    });
    context.ui.show(&value, || {
        let until = moment::exact(until_ms).replace('T', " ");
        lang.unlocked(until.get(..16).unwrap_or_default(), idle.as_secs() / 60)
    });
    Ok(Exit::Done)
}

#[cfg(unix)]
pub(crate) fn hold(context: &Context, args: &Hold) -> Result<Exit, Failure> {
    use std::io::{Read as _, Write as _};
    use wangge_agent::holder::{Holder, Unlocked};

    let holder = Holder::take(&context.home()?)?;
    let mut key = zeroize::Zeroizing::new([0; 32]);
    std::io::stdin().read_exact(&mut *key).map_err(broken)?;
    let key = wangge_agent::MasterKey::new(*key);
    let unlocked = Unlocked {
        most: Duration::from_secs(args.most),
        idle: Duration::from_secs(args.idle),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(b"\n")
        .and_then(|()| out.flush())
        .map_err(broken)?;
    drop(out);
    holder.hold(key, unlocked).map_err(broken)?;
    Ok(Exit::Done)
}

#[cfg(unix)]
pub(crate) fn lock(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let dir = context.home()?;
    let word = wangge_agent::keys::word_of(&dir)?;
    let was_unlocked = dir.exists() && wangge_agent::holder::lock(&dir);
    let value = json!({"locked": word.is_some(), "was_unlocked": was_unlocked, "word": word});
    context.ui.show(&value, || match (word, was_unlocked) {
        (None, _) => lang.no_word_yet().to_owned(),
        (Some(_), true) => lang.locked_now().to_owned(),
        (Some(_), false) => lang.locked_already().to_owned(),
    });
    Ok(Exit::Done)
}

#[cfg(unix)]
fn broken(error: std::io::Error) -> Failure {
    Failure::Agent(error.into())
}

/// Without sockets of this kind each command asks for the word.
#[cfg(not(unix))]
pub(crate) fn unlock(context: &Context, args: &Unlock) -> Result<Exit, Failure> {
    how_long(context, &args.most)?;
    Err(Failure::NotHeld)
}

#[cfg(not(unix))]
pub(crate) fn hold(_: &Context, _: &Hold) -> Result<Exit, Failure> {
    Err(Failure::NotHeld)
}

#[cfg(not(unix))]
pub(crate) fn lock(context: &Context) -> Result<Exit, Failure> {
    let lang = context.ui.lang;
    let value = json!({"locked": true, "was_unlocked": false});
    context.ui.show(&value, || lang.locked_already().to_owned());
    Ok(Exit::Done)
}
