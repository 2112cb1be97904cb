//! What a new namespace already holds: lines, people, groups, and some history.

use serde_json::Map;

use super::channel::Card;
use super::{Channel, Draft, Peer, World};
use crate::ids::Ids;
use crate::switches::Switches;

/// 2026-10-01T00:00:00Z. Seeded rows end here, whenever the sandbox runs, so that the same seed gives the same data.
pub(crate) const SEEDED_UNTIL_MS: i64 = 1_790_812_800_000;
const PEOPLE: usize = 60;
const NAMED_GROUPS: usize = 3;
const MINUTE_MS: i64 = 60_000;

/// Kind, address, alias. `whatsapp_business` and `rcs_business` share a number, as real ones may: `from` with it is ambiguous.
const CHANNELS: &[(&str, &str, Option<&str>)] = &[
    ("blooio", "+12025550101", None),
    ("blooio", "+12025550102", None),
    ("twilio", "+12025550150", Some("alerts")),
    ("whatsapp_business", "+12025550199", Some("support")),
    ("rcs_business", "+12025550199", Some("rcs")),
];

const GIVEN: &[&str] = &[
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Ines", "Jonas", "Kofi", "Lena", "Mateo",
    "Nadia", "Omar", "Priya", "Quinn", "Rosa", "Sami", "Tomas",
];
const FAMILY: &[&str] = &[
    "Abara", "Brandt", "Costa", "Duarte", "Eriksen", "Ferro", "Grant", "Haddad", "Ito", "Jansen", "Keller", "Lopes",
    "Moreau", "Novak", "Okafor", "Park", "Rossi", "Silva", "Tanaka", "Weber",
];
const QUESTIONS: &[&str] =
    &["Is this still available?", "What time do you open?", "Can I change my order?", "Do you ship abroad?"];
const ANSWERS: &[&str] = &["Yes, gladly.", "We open at nine.", "Of course, what shall it be?", "We do, within a week."];

/// A given and a family name.
pub(crate) fn full_name(ids: &mut Ids) -> String {
    format!("{} {}", ids.pick(GIVEN), ids.pick(FAMILY))
}

impl World {
    /// The world of a seed.
    pub(crate) fn seeded(seed: u64, switches: Switches) -> World {
        let mut world = World::empty(seed, SEEDED_UNTIL_MS - PEOPLE as i64 * 60 * MINUTE_MS, switches);
        for (kind, address, alias) in CHANNELS {
            let id = world.ids.uuid7("ch_", world.now);
            let created_at = world.now;
            world.channels.push(Channel {
                id,
                kind,
                address,
                alias: *alias,
                status: "active",
                created_at,
                profile: Map::new(),
                card: Card::default(),
                safety: "none",
            });
        }
        for index in 0..PEOPLE {
            world.seed_person(index);
        }
        for index in 0..NAMED_GROUPS {
            let members = (0..3).map(|offset| index * 3 + offset).collect();
            let group = world.add_group(0, Some(format!("Team {}", index + 1)), members);
            let (chat, _) = world.chat(0, Peer::Group(group));
            world.seed_exchange(chat, index * 3);
        }
        // History counts towards no cap.
        world.opened.clear();
        world.accepted = 0;
        world
    }

    fn seed_person(&mut self, index: usize) {
        let name = full_name(&mut self.ids);
        let identifier = match index % 6 {
            5 => format!("{}@example.com", name.to_lowercase().replace(' ', ".")),
            _ => format!("+1312555{:04}", 1000 + index),
        };
        if self.find_contact(&identifier).is_some() {
            return;
        }
        let named = self.ids.below(5) > 0;
        let contact = self.add_contact(&identifier, named.then_some(name));
        let (chat, _) = self.chat(index % 2, Peer::Person(contact));
        for _ in 0..=self.ids.below(3) {
            self.seed_exchange(chat, contact);
        }
    }

    /// A question from outside, and our answer as it ended.
    fn seed_exchange(&mut self, chat: usize, sender: usize) {
        let (question, answer) = (self.ids.pick(QUESTIONS), self.ids.pick(ANSWERS));
        self.receive(chat, Draft::text(question), sender);
        self.now += MINUTE_MS;
        self.send(chat, Draft::text(answer));
        self.settle();
        self.now += MINUTE_MS;
    }

    /// Lets the timers of the messages so far run out.
    fn settle(&mut self) {
        while let Some((due, crate::timers::Job::Advance { message, to })) = self.timers.pop_due(i64::MAX) {
            self.now = due;
            self.advance(message, to);
        }
    }
}
