import sdk = require("@bloomchats/sdk");

export const client: sdk.Blooio = new sdk.Blooio({ apiKey: "k" });
export const failure: sdk.BloomChatsError = new sdk.NotFoundError({ kind: "not_found", message: "no" });
