@_exported import BloomChats
import Foundation

extension Blooio {
    /// A client whose answers come from a transcript and whose time is virtual. It opens no socket.
    ///
    /// - Parameters:
    ///   - transcript: What the service answers.
    ///   - apiKey: A key to look at in the requests; a made-up one by default.
    ///   - options: Settings as for a real client.
    /// - Returns: The client, and what it did.
    public static func scripted(
        _ transcript: Transcript, apiKey: String = "bl_test_key", options: ClientOptions = ClientOptions()
    ) throws -> (Blooio, Script) {
        let blooio = try Blooio(Configuration(.blooio, apiKey: apiKey, baseURL: nil, options).scripted(transcript.json))
        return (blooio, Script(client: blooio.client))
    }

    /// A scripted client that asks for its keys.
    public static func scripted(
        _ transcript: Transcript, options: ClientOptions = ClientOptions(), credential: @escaping CredentialProvider
    ) throws -> (Blooio, Script) {
        let configuration = Configuration(.blooio, apiKey: nil, provider: credential, baseURL: nil, options)
        let blooio = try Blooio(configuration.scripted(transcript.json))
        return (blooio, Script(client: blooio.client))
    }
}

extension BloomChats {
    /// A client whose answers come from a transcript and whose time is virtual. It opens no socket.
    ///
    /// - Parameters:
    ///   - transcript: What the service answers.
    ///   - apiKey: A key to look at in the requests; a made-up one by default.
    ///   - options: Settings as for a real client.
    /// - Returns: The client, and what it did.
    public static func scripted(
        _ transcript: Transcript, apiKey: String = "dmtb_test_key", options: ClientOptions = ClientOptions()
    ) throws -> (BloomChats, Script) {
        let configuration = Configuration(.bloomchats, apiKey: apiKey, baseURL: nil, options)
        let bloomchats = try BloomChats(configuration.scripted(transcript.json))
        return (bloomchats, Script(client: bloomchats.client))
    }

    /// A scripted client that asks for its keys.
    public static func scripted(
        _ transcript: Transcript, options: ClientOptions = ClientOptions(), credential: @escaping CredentialProvider
    ) throws -> (BloomChats, Script) {
        let configuration = Configuration(.bloomchats, apiKey: nil, provider: credential, baseURL: nil, options)
        let bloomchats = try BloomChats(configuration.scripted(transcript.json))
        return (bloomchats, Script(client: bloomchats.client))
    }
}
