//! Repair: what the two sides lack of each other is found by symbols, fetched and given back.
//!
//! Runs by itself after a sync whose digests differ. **What is fetched passes the same signature and
//! gate as every page, what is given back the same judging as every push**; then the digests are
//! compared once more, and only they say whether the area is complete.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_sync::{Event, Form, Outcome, Parcel, Session, riblt};
use wangge_wire::limits::{
    PAGE_INFLATED_BYTES_MAX, REPAIR_ANSWER_BYTES_MAX, REPAIR_SYMBOLS_MAX, REPAIR_WANTED_MAX,
};
use wangge_wire::message::PageEntry;
use wangge_wire::repair::{EntriesAnswer, RepairAsk, Subject, SymbolsAnswer, Wish, fingerprint};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{Audience, ChangeHash, DocId, End, PROTOCOL_VERSION, packing};

use super::http::{capped, refusal};
use super::sync::{Meeting, strange};
use crate::error::AgentError;

/// What a repair did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RepairReport {
    /// Areas, units and people whose digests differed, and one for the decisions on inbox items.
    pub audiences: usize,
    /// Entries that came.
    pub fetched: usize,
    /// Changes that the relay had no more, or never had, and was sent.
    pub given_back: usize,
    /// Changes that the relay has no more and that stay here: a pack brought them, without their authors'
    /// word, or it knows their authors no more.
    pub unproven: usize,
    /// Questions asked before the first entry travelled.
    pub questions: u32,
    /// Bytes of symbols.
    pub symbol_bytes: usize,
}

impl Meeting<'_> {
    /// Repairs what differs from the end's digests; returns how the sync after it ended.
    pub(super) async fn repair(&mut self, end: &End) -> Result<Option<Outcome>, AgentError> {
        let different = self.different(end)?;
        if different.is_empty() || Sabotage::DigestIgnored.is_on() {
            return Ok(None);
        }
        let mut report = RepairReport {
            audiences: different.len(),
            ..RepairReport::default()
        };
        let mut lacking = Vec::new();
        for (about, entries) in different {
            lacking.extend(self.reconcile(&about, entries, &mut report).await?);
        }
        lacking.sort();
        lacking.dedup();
        let relay = self.relay_key.relay();
        let store = &mut self.replica.home.store;
        let (mut batches, unproven) = store.give_back(&relay, &lacking)?;
        report.given_back = lacking.len() - unproven;
        report.unproven = unproven;
        self.gives_back = true;
        let waiting = store.pending_batches()?.into_iter();
        let waiting: Vec<_> = waiting.filter(|batch| !batches.contains(batch)).collect();
        batches.extend(waiting);
        let mut parcels = Vec::with_capacity(batches.len());
        for batch in batches {
            let bytes = self.frame(&batch, Form::Full, None)?.len();
            parcels.push(Parcel { batch, bytes });
        }
        self.report.repair = Some(report);
        let last_batch = self.replica.home.store.last_batch(&self.replica.actor())?;
        self.session = Session::new(Some(last_batch)).in_full();
        let effects = self.session.handle(Event::LinkUp(parcels));
        let outcome = self.drive(effects).await;
        self.gives_back = false;
        let stays = self.refused_of_others(&lacking)?;
        if let Some(report) = &mut self.report.repair {
            report.given_back = report.given_back.saturating_sub(stays);
            report.unproven += stays;
        }
        outcome.map(Some)
    }

    /// Returns how many of these changes others signed whom the relay does not know any more: it was put back
    /// to before they were enrolled, and takes nothing of theirs.
    fn refused_of_others(&self, lacking: &[(DocId, ChangeHash)]) -> Result<usize, AgentError> {
        let me = self.replica.device();
        let mut stays = 0;
        for (batch, _) in self.session.refused() {
            let batch = self.replica.home.store.batch(batch)?;
            if batch.head.device != me {
                let names = batch.items.iter().map(wangge_wire::Item::name);
                let lacks = names.filter(|name| lacking.contains(&(name.doc, name.hash)));
                stays += lacks.count();
            }
        }
        Ok(stays)
    }

    /// Returns what has another digest here, and how many entries the relay has of it.
    fn different(&self, end: &End) -> Result<Vec<(Subject, u64)>, AgentError> {
        let store = &self.replica.home.store;
        let here = self.here.iter().map(|(who, digest)| (who, *digest));
        let here: BTreeMap<&Audience, _> = here.collect();
        let differ = end
            .digests
            .iter()
            .filter(|(who, relay)| here.get(who) != Some(relay));
        let mut different: Vec<_> = differ
            .map(|(who, relay)| (Subject::Changes(who.clone()), relay.changes))
            .collect();
        let decisions = end.decisions.unwrap_or_default();
        if store.decisions(&self.replica.device())? != decisions {
            different.push((Subject::Decisions, decisions.changes));
        }
        Ok(different)
    }

    /// Fetches what this device lacks; returns what the relay lacks.
    async fn reconcile(
        &mut self,
        about: &Subject,
        entries: u64,
        report: &mut RepairReport,
    ) -> Result<Vec<(DocId, ChangeHash)>, AgentError> {
        let device = self.replica.device();
        let own = self.replica.home.store.names_in(about, &device)?;
        let key = u64::from_le_bytes(self.replica.machine.random()?);
        let named: BTreeMap<u64, (DocId, ChangeHash)> = own
            .into_iter()
            .map(|(doc, hash)| (fingerprint(key, &doc, &hash), (doc, hash)))
            .collect();
        let apart = usize::try_from(entries).unwrap_or(0).abs_diff(named.len());
        let mut count = riblt::enough(apart).min(REPAIR_SYMBOLS_MAX);
        let ask = |wish| RepairAsk {
            version: PROTOCOL_VERSION,
            about: about.clone(),
            key,
            wish,
        };
        let mut theirs: Vec<riblt::Symbol> = Vec::new();
        let difference = loop {
            let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let wish = Wish::Symbols {
                from: number(theirs.len()),
                until: number(count),
            };
            let bytes = self.question(&ask(wish)).await?;
            let answer: SymbolsAnswer = packing::decode(&bytes, "symbols").map_err(strange)?;
            theirs.extend(riblt::from_bytes(&answer.symbols));
            report.questions += 1;
            report.symbol_bytes += answer.symbols.len();
            let ours = riblt::symbols(named.keys().copied(), theirs.len());
            match riblt::difference(&theirs, &ours) {
                Some(difference) => break difference,
                None if theirs.len() >= REPAIR_SYMBOLS_MAX || theirs.len() < count => {
                    // So far apart that reading from the beginning costs no more.
                    let relay = self.relay_key.relay();
                    let store = &mut self.replica.home.store;
                    store.prefer_pages(&relay, true)?;
                    store.forget_cursor(&relay)?;
                    return Ok(Vec::new());
                }
                None => count = riblt::more(count).min(REPAIR_SYMBOLS_MAX),
            }
        };
        let mut wanted: Vec<u64> = difference.theirs.into_iter().collect();
        while !wanted.is_empty() {
            let asked: Vec<u64> = wanted.iter().copied().take(REPAIR_WANTED_MAX).collect();
            report.fetched += self.fetch_entries(&ask(Wish::Entries(asked))).await?;
            let here = self.replica.home.store.names_in(about, &device)?;
            let here = here.iter().map(|(doc, hash)| fingerprint(key, doc, hash));
            let here: std::collections::BTreeSet<u64> = here.collect();
            let before = wanted.len();
            wanted.retain(|fingerprint| !here.contains(fingerprint));
            if wanted.len() == before {
                // Nothing of it is taken here; the digests will say that it still differs.
                break;
            }
        }
        let lacking = difference.ours.iter();
        Ok(lacking
            .filter_map(|fingerprint| named.get(fingerprint).copied())
            .collect())
    }

    /// Fetches the entries a question names and takes them in; returns how many were new.
    pub(super) async fn fetch_entries(&mut self, ask: &RepairAsk) -> Result<usize, AgentError> {
        let bytes = self.question(ask).await?;
        let answer = self.unpacker.unpack(&bytes, PAGE_INFLATED_BYTES_MAX);
        let answer: EntriesAnswer =
            packing::decode(&answer.map_err(strange)?, "entries").map_err(strange)?;
        self.take_entries(&answer.entries)
    }

    fn take_entries(&mut self, entries: &[PageEntry]) -> Result<usize, AgentError> {
        let relay = self.relay_key.relay();
        let store = &mut self.replica.home.store;
        let outcome = store.take_entries(relay, entries, &mut self.judge)?;
        self.reload_roster |= entries
            .iter()
            .any(|entry| matches!(entry, PageEntry::Single { .. }));
        self.report.received += outcome.received;
        self.report.held += outcome.held + outcome.unsigned;
        Ok(outcome.received)
    }

    /// Posts a head that is a whole request; returns whatever is answered in the end.
    pub(super) async fn post_head(
        &mut self,
        path: &str,
        head: &[u8],
    ) -> Result<reqwest::Response, AgentError> {
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
        let body = [length.to_be_bytes().as_slice(), head].concat();
        let (key, machine) = (&self.replica.home.key, &self.replica.machine);
        let offset_ms = &mut self.clock_offset_ms;
        let posted = self
            .line
            .post_told(path, head, &body, key, machine, offset_ms);
        posted.await
    }

    async fn question(&mut self, ask: &RepairAsk) -> Result<Vec<u8>, AgentError> {
        let response = self.post_head("/v1/repair", &packing::encode(ask)).await?;
        if !response.status().is_success() {
            return Err(refusal(response.status()));
        }
        let bytes = capped(response, REPAIR_ANSWER_BYTES_MAX).await?;
        self.line.bytes_down += bytes.len() as u64;
        Ok(bytes.to_vec())
    }
}
