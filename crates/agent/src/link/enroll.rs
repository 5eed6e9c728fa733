//! Enrolment: ten typed characters make this device known to a relay, and the relay to this device.

use serde::Serialize;
use wangge_trust::enroll::{Code, Side, check_proof, proof};
use wangge_trust::{Invitation, Roster};
use wangge_wire::enroll::{EnrollAnswer, EnrollAsk, EnrollRefusal, RelayCard};
use wangge_wire::limits::ANSWER_BYTES_MAX;
use wangge_wire::{AreaCode, Level, Order, PublicKey, Role, packing};

use super::address::Address;
use super::http::{capped, refusal};
use super::peer::Peer;
use crate::error::{AgentError, InvitationRefused};
use crate::home::{Profile, RelayLink};
use crate::replica::Replica;

/// What an enrolment gave.
#[derive(Debug, Clone, Serialize)]
pub struct Enrolled {
    /// The person.
    pub name: String,
    /// What the person works as.
    pub role: &'static str,
    /// The areas.
    pub areas: Vec<AreaCode>,
    /// The device part of ticket numbers.
    pub device_number: u32,
    /// What people call the relay.
    pub relay: String,
}

impl Replica {
    /// Enrols this home with a relay by an invitation: its code, or the text of the whole. In the text an
    /// address may stand, which `url` goes before; and the relay's key: nobody else may answer then.
    ///
    /// Where no key is known, that of whoever answers is noted, and the enrolment proves that very key with
    /// the code's secret: somebody in between would have to know it.
    pub async fn enroll(
        &mut self,
        invitation: &str,
        url: &str,
        name: &str,
        pin: Option<PublicKey>,
    ) -> Result<Enrolled, AgentError> {
        let refused = |why| AgentError::Invitation(why);
        let wrong = || refused(InvitationRefused::WrongCode);
        let (code, invited, relay) = if Invitation::is_meant(invitation) {
            let text = Invitation::parse(invitation).map_err(|_| wrong())?;
            (text.code, text.url, Some(text.relay))
        } else {
            (Code::parse(invitation).map_err(|_| wrong())?, None, None)
        };
        let url = match (url, &invited) {
            ("", Some(invited)) => invited,
            (url, _) => url,
        };
        let pin = pin.or(relay);
        let address = Address::parse(url)?;
        let unknown = pin.map_or_else(Peer::unknown, Peer::of);
        let mut line = self.line_to(address.clone(), unknown)?;
        let card: RelayCard = read(line.get("/v1/relay").await?).await?;
        if relay.is_some_and(|relay| relay != card.key) {
            // Nothing was said to it: neither the code nor that this device has one.
            return Err(refused(InvitationRefused::WrongRelay));
        }
        line.must_be(&card.key)?;
        let mut line = self.line(address.clone(), card.key)?;

        let key = code
            .proof_key()
            .map_err(|_| refused(InvitationRefused::WrongCode))?;
        let (device, nonce) = (self.home.key.public(), self.machine.random::<16>()?);
        let ask = EnrollAsk {
            invitation: code.public().to_owned(),
            device_key: device,
            nonce,
            proof: proof(&key, Side::Device, &card.key, &device, &nonce),
        };
        let response = line.post("/v1/enroll", packing::encode(&ask)).await?;
        if !response.status().is_success() {
            let status = response.status();
            let body = capped(response, ANSWER_BYTES_MAX).await?;
            return Err(match packing::decode::<EnrollRefusal>(&body, "refusal") {
                Ok(EnrollRefusal::WrongCode) => refused(InvitationRefused::WrongCode),
                Ok(EnrollRefusal::TooManyTries) => refused(InvitationRefused::TooManyTries),
                Ok(EnrollRefusal::Spent) => refused(InvitationRefused::Spent),
                Ok(EnrollRefusal::Expired) => refused(InvitationRefused::Expired),
                Ok(EnrollRefusal::Malformed) | Err(_) => refusal(status),
            });
        }
        let answer: EnrollAnswer = read(response).await?;
        if !check_proof(&answer.proof, &key, Side::Relay, &card.key, &device, &nonce) {
            return Err(refused(InvitationRefused::WrongRelay));
        }
        self.take_enrolment(&card, &answer, &address, name)
    }

    fn take_enrolment(
        &mut self,
        card: &RelayCard,
        answer: &EnrollAnswer,
        address: &Address,
        name: &str,
    ) -> Result<Enrolled, AgentError> {
        let strange = |reason: &str| AgentError::StrangeAnswer {
            reason: reason.to_owned(),
        };
        let orders = answer
            .orders
            .iter()
            .map(|bytes| Order::read(&bytes.0))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| strange("an order does not read"))?;
        let mut roster = Roster::default();
        for order in &orders {
            roster
                .take_some(order)
                .map_err(|error| strange(&error.to_string()))?;
        }
        if roster.root().is_none_or(|(key, ..)| *key != card.key) {
            return Err(strange("the roster's root is another relay"));
        }
        let member = roster
            .member(&self.device())
            .ok_or_else(|| strange("no grant for this device"))?;
        // Nothing is kept: a device that took the grant of a relay would work for everybody.
        if member.role == Role::Relay {
            return Err(AgentError::Invitation(InvitationRefused::ForRelay));
        }
        let enrolled = Enrolled {
            name: member.name.clone(),
            role: member.role.as_str(),
            areas: member.areas.clone(),
            device_number: member.device_number,
            relay: card.name.clone(),
        };
        let level = match Level::from(card.level) {
            Level::County => "county",
            Level::Township => "township",
            Level::Village | Level::Grid => "village",
        };
        // The orders first: a profile that names a relay without its roster could not judge a page.
        self.home.store.keep_orders(&orders)?;
        self.home.keep_id_key(answer.id_key, &self.machine)?;
        let profile = Profile {
            name: if name.is_empty() {
                enrolled.name.clone()
            } else {
                name.to_owned()
            },
            areas: self.home.profile.areas.clone(),
            relay: Some(RelayLink {
                url: address.text(),
                key: card.key,
                name: card.name.clone(),
                level: level.to_owned(),
            }),
        };
        self.home.keep_profile(profile)?;
        self.load_roster()?;
        Ok(enrolled)
    }
}

async fn read<T: for<'b> minicbor::Decode<'b, ()>>(
    response: reqwest::Response,
) -> Result<T, AgentError> {
    if !response.status().is_success() {
        return Err(refusal(response.status()));
    }
    let body = capped(response, ANSWER_BYTES_MAX).await?;
    packing::decode(&body, "answer").map_err(|error| AgentError::StrangeAnswer {
        reason: error.to_string(),
    })
}
