//! Who messages go to: numbers and addresses, and the people they belong to.

use super::World;
use crate::refusal::Refusal;

/// How long an answer about somebody's capabilities is kept.
const LOOK_LASTS_MS: i64 = 24 * 60 * 60 * 1000;

/// A number or an address. v2 calls this a contact; v4 gives it identities of a contact.
#[derive(Debug)]
pub(crate) struct Contact {
    pub(crate) identifier: String,
    /// Whose it is; nobody's once v4 has detached it.
    pub(crate) person: Option<usize>,
    pub(crate) identities: Vec<Identity>,
}

/// How a contact is reached through one type of channel.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) channel_type: &'static str,
    pub(crate) channel_id: Option<String>,
    pub(crate) created_at: i64,
}

/// What v4 calls a contact: a name and tags over one or more numbers and addresses.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) created_at: i64,
    pub(crate) deleted: bool,
    pub(crate) merged_into: Option<usize>,
    pub(crate) contacts: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) created_at: i64,
}

impl Person {
    pub(crate) fn is_listed(&self) -> bool {
        !self.deleted && self.merged_into.is_none()
    }

    /// Adds the tags that are not there yet.
    pub(crate) fn tag(&mut self, names: impl Iterator<Item = String>, now: i64) {
        for name in names {
            if self.tags.iter().all(|tag| tag.name != name) {
                self.tags.push(Tag { name, created_at: now });
            }
        }
    }
}

impl World {
    /// A number or address that was seen before, whoever's it is.
    pub(crate) fn find_contact(&self, identifier: &str) -> Option<usize> {
        self.contact_by_identifier.get(identifier).copied()
    }

    /// When what a number or address can receive was last found out: now, or at most a day ago.
    pub(crate) fn look_at(&mut self, identifier: &str) -> Result<i64, Refusal> {
        let known = self.looked_at.get(identifier).copied().filter(|at| self.now - at < LOOK_LASTS_MS);
        if let Some(at) = known {
            return Ok(at);
        }
        if !self.lines().any(|line| self.channels[line].is_active()) {
            return Err(Refusal::new(503, "No active number can look."));
        }
        self.looked_at.insert(identifier.to_owned(), self.now);
        Ok(self.now)
    }

    /// The contact of an identifier, made when there is none; writing to a deleted one brings it back.
    pub(crate) fn contact(&mut self, identifier: &str) -> usize {
        let Some(contact) = self.find_contact(identifier) else { return self.add_contact(identifier, None) };
        match self.contacts[contact].person {
            Some(person) => self.people[person].deleted = false,
            None => {
                let person = self.add_person(None);
                self.attach(contact, person, "blooio", None);
            }
        }
        contact
    }

    pub(crate) fn add_contact(&mut self, identifier: &str, name: Option<String>) -> usize {
        let person = self.add_person(name);
        let contact = self.bare_contact(identifier);
        self.attach(contact, person, "blooio", None);
        contact
    }

    pub(crate) fn add_person(&mut self, name: Option<String>) -> usize {
        let id = self.ids.uuid7("ct_", self.now);
        self.person_by_id.insert(id.clone(), self.people.len());
        self.people.push(Person {
            id,
            name,
            tags: Vec::new(),
            created_at: self.now,
            deleted: false,
            merged_into: None,
            contacts: Vec::new(),
        });
        self.people.len() - 1
    }

    /// The row of an identifier, nobody's when it is new.
    pub(crate) fn bare_contact(&mut self, identifier: &str) -> usize {
        if let Some(contact) = self.find_contact(identifier) {
            return contact;
        }
        let contact = Contact { identifier: identifier.to_owned(), person: None, identities: Vec::new() };
        self.contacts.push(contact);
        self.contact_by_identifier.insert(identifier.to_owned(), self.contacts.len() - 1);
        self.contacts.len() - 1
    }

    /// Makes a contact somebody's, reachable through a type of channel; gives the index of the identity.
    pub(crate) fn attach(
        &mut self,
        contact: usize,
        person: usize,
        channel_type: &'static str,
        channel_id: Option<String>,
    ) -> usize {
        let id = self.ids.uuid7("cid_", self.now);
        let row = &mut self.contacts[contact];
        row.person = Some(person);
        row.identities.push(Identity { id, channel_type, channel_id, created_at: self.now });
        if !self.people[person].contacts.contains(&contact) {
            self.people[person].contacts.push(contact);
        }
        self.contacts[contact].identities.len() - 1
    }

    /// Takes an identity away; the last one takes the contact with it.
    pub(crate) fn detach(&mut self, contact: usize, identity: usize) {
        self.contacts[contact].identities.remove(identity);
        if !self.contacts[contact].identities.is_empty() {
            return;
        }
        if let Some(person) = self.contacts[contact].person.take() {
            self.people[person].contacts.retain(|other| *other != contact);
        }
    }

    /// Frees a contact from an owner who is gone.
    pub(crate) fn release(&mut self, contact: usize) {
        self.contacts[contact].identities.clear();
        if let Some(person) = self.contacts[contact].person.take() {
            self.people[person].contacts.retain(|other| *other != contact);
        }
    }

    /// The same identity under another identifier; gives its index there.
    pub(crate) fn move_identity(&mut self, contact: usize, identity: usize, to: usize) -> usize {
        let moved = self.contacts[contact].identities[identity].id.clone();
        let (kind, channel_id) = {
            let identity = &self.contacts[contact].identities[identity];
            (identity.channel_type, identity.channel_id.clone())
        };
        let Some(person) = self.contacts[contact].person else { return identity };
        let index = self.attach(to, person, kind, channel_id);
        self.contacts[to].identities[index].id = moved;
        self.detach(contact, identity);
        index
    }

    /// A v4 contact that is neither deleted nor merged away.
    pub(crate) fn find_person(&self, id: &str) -> Option<usize> {
        self.person_by_id.get(id).copied().filter(|person| self.people[*person].is_listed())
    }

    /// As [`World::find_person`], tombstones included.
    pub(crate) fn find_any_person(&self, id: &str) -> Option<usize> {
        self.person_by_id.get(id).copied()
    }

    pub(crate) fn person(&self, contact: usize) -> Option<&Person> {
        self.contacts[contact].person.map(|person| &self.people[person]).filter(|person| person.is_listed())
    }

    pub(crate) fn name(&self, contact: usize) -> Option<&str> {
        self.person(contact)?.name.as_deref()
    }

    /// Moves everything of `source` to `survivor`, whose name stays.
    pub(crate) fn merge(&mut self, survivor: usize, source: usize) {
        let contacts = std::mem::take(&mut self.people[source].contacts);
        for contact in &contacts {
            self.contacts[*contact].person = Some(survivor);
        }
        self.people[survivor].contacts.extend(contacts);
        let tags = std::mem::take(&mut self.people[source].tags);
        let now = self.now;
        self.people[survivor].tag(tags.into_iter().map(|tag| tag.name), now);
        self.people[source].merged_into = Some(survivor);
    }
}
