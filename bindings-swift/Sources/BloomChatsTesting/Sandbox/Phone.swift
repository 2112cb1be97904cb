import BloomChats

extension Sandbox {
    /// A message that a person received.
    public struct Received: Sendable, Hashable {
        /// What a poll asks.
        public struct Poll: Sendable, Hashable {
            /// The question.
            public let title: String
            /// The answers to choose from.
            public let options: [String]
        }

        /// As v4 names it.
        public let id: String
        /// As v2 names it.
        public let v2ID: String
        /// The address of our channel.
        public let from: String
        /// The group it was written to, if any.
        public let groupID: String?
        /// `text`, `media`, `poll`, …
        public let type: String
        /// What it says.
        public let text: String?
        /// `slam`, `invisible-ink`, …; only iMessage shows one.
        public let effect: String?
        /// What it asks.
        public let poll: Poll?
        /// URLs.
        public let attachments: [String]
        /// `queued`, `sent`, `delivered`, `read`.
        public let status: String
        /// Epoch milliseconds of the sandbox's clock.
        public let sentAt: Int

        init(_ row: JSONValue) {
            (id, v2ID, from) = (row["id"].string ?? "", row["v2_id"].string ?? "", row["from"].string ?? "")
            (groupID, type, text) = (row["group_id"].string, row["type"].string ?? "", row["text"].string)
            (effect, attachments) = (row["effect"].string, row["attachments"].array?.compactMap(\.string) ?? [])
            (status, sentAt) = (row["status"].string ?? "", row["sent_at"].int ?? 0)
            poll = row["poll"]["title"].string.map { title in
                Poll(title: title, options: row["poll"]["options"].array?.compactMap(\.string) ?? [])
            }
        }
    }

    /// What became of something that a person did.
    public struct Happening: Sendable, Hashable {
        /// The conversation, as v4 names it.
        public let chatID: String
        /// The message it made or changed, as v4 names it.
        public let messageID: String?
        /// The same as v2 names it.
        public let v2MessageID: String?
        /// The address of our channel.
        public let to: String

        init(_ row: JSONValue) {
            (chatID, to) = (row["chat_id"].string ?? "", row["to"].string ?? "")
            (messageID, v2MessageID) = (row["message_id"].string, row["v2_message_id"].string)
        }
    }

    /// A person. What they do is told to us as the services tell it: in lists, events, webhooks.
    ///
    /// `channel` is the channel of ours they write to (address, id or alias), by default the one where the conversation is;
    /// `group` is a group they are in; `message` is a message's id, of v2 or v4, by default that of our last one.
    public struct Phone: Sendable {
        let control: Control
        /// Their number or address.
        public let number: String

        /// What they received, alone and in groups, oldest first; without what failed or was cancelled.
        public var inbox: [Received] {
            get async throws {
                let told = try await control.ask("GET", "/phones/\(Control.segment(number))/inbox")
                return told["messages"].array?.map(Received.init) ?? []
            }
        }

        /// Writes to us: text, attachments (URLs), or both.
        @discardableResult
        public func write(
            _ text: String? = nil, attachments: [String] = [], to channel: String? = nil, group: String? = nil,
            replyTo message: String? = nil
        ) async throws -> Happening {
            let fields: [String: JSONValue?] = [
                "text": text.map(JSONValue.string), "attachments": .array(attachments.map(JSONValue.string)),
                "reply_to": message.map(JSONValue.string),
            ]
            return try await act("message", fields, to: channel, group: group)
        }

        /// Sends us a poll.
        @discardableResult
        public func askPoll(
            _ title: String, options: [String], to channel: String? = nil, group: String? = nil
        ) async throws -> Happening {
            let fields: [String: JSONValue?] = ["title": .string(title), "options": .array(options.map(JSONValue.string))]
            return try await act("poll", fields, to: channel, group: group)
        }

        /// Votes in a poll of ours, by the option's text; a second time takes the vote back.
        @discardableResult
        public func vote(
            _ option: String, message: String? = nil, to channel: String? = nil, group: String? = nil
        ) async throws -> Happening {
            try await act("poll_vote", ["option": .string(option)], message: message, to: channel, group: group)
        }

        /// Reacts to a message: `love`, `like`, an emoji, …; `-love` takes it back.
        @discardableResult
        public func react(
            _ reaction: String, message: String? = nil, to channel: String? = nil, group: String? = nil
        ) async throws -> Happening {
            try await act("reaction", ["reaction": .string(reaction)], message: message, to: channel, group: group)
        }

        /// Begins to type.
        @discardableResult
        public func startTyping(to channel: String? = nil, group: String? = nil) async throws -> Happening {
            try await act("typing", ["state": "started"], to: channel, group: group)
        }

        /// Stops typing.
        @discardableResult
        public func stopTyping(to channel: String? = nil, group: String? = nil) async throws -> Happening {
            try await act("typing", ["state": "stopped"], to: channel, group: group)
        }

        /// Reads one message, or everything delivered so far.
        @discardableResult
        public func read(
            message: String? = nil, to channel: String? = nil, group: String? = nil
        ) async throws -> Happening {
            try await act("read", [:], message: message, to: channel, group: group)
        }

        /// Sends us their contact card.
        @discardableResult
        public func shareContactCard(to channel: String? = nil) async throws -> Happening {
            try await act("contact_card", [:], to: channel)
        }

        /// Gives a group another name.
        @discardableResult
        public func renameGroup(_ group: String, to name: String) async throws -> Happening {
            try await act("group_name", ["name": .string(name)], group: group)
        }

        /// Gives a group another picture.
        @discardableResult
        public func setGroupIcon(_ group: String, to url: String) async throws -> Happening {
            try await act("group_icon", ["icon_url": .string(url)], group: group)
        }

        private func act(
            _ type: String, _ fields: [String: JSONValue?], message: String? = nil, to channel: String? = nil,
            group: String? = nil
        ) async throws -> Happening {
            let place: [String: JSONValue?] = [
                "type": .string(type), "from": .string(number), "to": channel.map(JSONValue.string),
                "group_id": group.map(JSONValue.string), "message_id": message.map(JSONValue.string),
            ]
            return Happening(try await control.ask("POST", "/inbound", Control.fields(place.merging(fields) { $1 })))
        }
    }
}
