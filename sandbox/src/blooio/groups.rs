//! Groups: named ones, and those that a list of recipients makes.

use super::World;

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) channel: usize,
    /// Contacts, sorted by identifier.
    pub(crate) members: Vec<usize>,
    /// Those who came after the group was made, and when.
    pub(crate) joined: Vec<(usize, i64)>,
    /// The chat on the device; there is one from the first message on.
    pub(crate) chat_guid: Option<String>,
    pub(crate) icon_url: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) deleted: bool,
}

impl Group {
    pub(crate) fn joined_at(&self, member: usize) -> i64 {
        let later = self.joined.iter().find(|(one, _)| *one == member);
        later.map_or(self.created_at, |(_, at)| *at)
    }
}

impl World {
    pub(crate) fn find_group(&self, id: &str) -> Option<usize> {
        self.group_by_id.get(id).copied().filter(|group| !self.groups[*group].deleted)
    }

    /// The unnamed group of exactly these members on a channel, and whether it had to be made.
    pub(crate) fn unnamed_group(&mut self, channel: usize, members: Vec<usize>) -> (usize, bool) {
        let members = self.sorted(members);
        match self.find_unnamed_group(channel, members.clone()) {
            Some(group) => (group, false),
            None => (self.add_group(channel, None, members), true),
        }
    }

    /// As [`World::unnamed_group`], making nothing.
    pub(crate) fn find_unnamed_group(&self, channel: usize, members: Vec<usize>) -> Option<usize> {
        let members = self.sorted(members);
        let group = self.unnamed_groups.get(&(channel, members.clone())).copied()?;
        let row = &self.groups[group];
        (!row.deleted && row.name.is_none() && row.members == members).then_some(group)
    }

    /// Any group of exactly these members on a channel.
    pub(crate) fn find_group_of(&self, channel: usize, members: &[usize]) -> Option<usize> {
        let members = self.sorted(members.to_vec());
        let same = |group: &super::Group| !group.deleted && group.channel == channel && group.members == members;
        self.groups.iter().position(same)
    }

    pub(crate) fn add_group(&mut self, channel: usize, name: Option<String>, members: Vec<usize>) -> usize {
        let members = self.sorted(members);
        let group = self.groups.len();
        if name.is_none() {
            self.unnamed_groups.insert((channel, members.clone()), group);
        }
        let id = self.ids.alphanumeric("grp_", 20);
        self.group_by_id.insert(id.clone(), group);
        self.groups.push(Group {
            id,
            name,
            channel,
            members,
            joined: Vec::new(),
            chat_guid: None,
            icon_url: None,
            created_at: self.now,
            deleted: false,
        });
        group
    }

    pub(crate) fn join(&mut self, group: usize, member: usize) {
        let mut members = std::mem::take(&mut self.groups[group].members);
        members.push(member);
        self.groups[group].members = self.sorted(members);
        self.groups[group].joined.push((member, self.now));
    }

    /// The group a message to `group` goes to: a device has one chat for the same people, so that a group without a chat
    /// becomes the one that has it.
    pub(crate) fn merged_group(&mut self, group: usize) -> usize {
        let row = &self.groups[group];
        if row.chat_guid.is_some() {
            return group;
        }
        let same = |other: &Group| {
            !other.deleted && other.chat_guid.is_some() && other.channel == row.channel && other.members == row.members
        };
        let Some(known) = self.groups.iter().position(same) else { return group };
        self.group_by_id.insert(row.id.clone(), known);
        self.groups[group].deleted = true;
        known
    }

    /// The chat on the device that a first message opens.
    pub(super) fn link_group(&mut self, group: usize) {
        if self.groups[group].chat_guid.is_none() {
            self.groups[group].chat_guid = Some(self.ids.alphanumeric("iMessage;+;chat", 18));
        }
    }

    fn sorted(&self, mut members: Vec<usize>) -> Vec<usize> {
        members.sort_by(|a, b| self.contacts[*a].identifier.cmp(&self.contacts[*b].identifier));
        members.dedup();
        members
    }
}
