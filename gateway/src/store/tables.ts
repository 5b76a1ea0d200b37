/** The tables of the store as Kysely sees them. Columns are named as in the database. */

/** A virtual key made with the CLI or the API. The key itself is never stored. */
export interface VirtualKeysTable {
  id: string
  /** Keyed hash of the key. */
  hash: string
  /** First characters of the key, for people to recognise it by. */
  prefix: string
  principal: string
  consumer: string | null
  actor: string | null
  /** JSON object: upstream name -> credential id. */
  credentials: string
  /** Unix milliseconds. */
  created: number
  expires: number | null
  revoked: number | null
}

/** Expiring state: sessions, places of conversations, tickets. */
export interface EntriesTable {
  namespace: string
  key: string
  /** JSON. */
  value: string
  /** Unix milliseconds. */
  expires: number
}

/** What each MCP server listed last. */
export interface ToolListingsTable {
  server: string
  /** JSON array of tool definitions. */
  tools: string
  /** Unix milliseconds. */
  seen: number
}

/** What the replicas of an installation know in common. */
export interface SettingsTable {
  name: string
  /** Plain, or sealed under `cluster.secret`. */
  value: string
}

export interface StoreTables {
  virtual_keys: VirtualKeysTable
  entries: EntriesTable
  tool_listings: ToolListingsTable
  settings: SettingsTable
}
