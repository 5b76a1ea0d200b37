/** The tables of the store as Kysely sees them. Columns are named as in the database. */
import type { AccountLinksRow, AccountsRow } from './account-tables.ts'
import type { DirectoryGroupsRow, DirectoryUsersRow, PeopleRow, PersonGroupsRow, RevocationsRow } from './people-tables.ts'

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
  /** JSON list of what the key is good for; null for everything but the administration. */
  scopes: string | null
  /** JSON object: kind of thing -> names and patterns that the key may use at most; null for no restriction. */
  within: string | null
  /** Keyed hash of the secret that the key had before, and until when it is good (Unix milliseconds). */
  previous_hash: string | null
  previous_until: number | null
  /** Unix milliseconds, not exact. */
  last_used: number | null
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

/** Definitions of tools that may be used; a row for every approval. */
export interface ToolPinsTable {
  server: string
  /** Empty: the first listing of the server. */
  tool: string
  /** Unix milliseconds. */
  approved: number
  digest: string
  approved_by: string
  /** JSON. */
  definition: string
}

/** Definitions of tools that wait for a review. */
export interface HeldToolsTable {
  server: string
  tool: string
  digest: string
  /** Unix milliseconds. */
  seen: number
  /** JSON. */
  definition: string
}

/** Restarts of MCP servers that were asked for. */
export interface ServerRestartsTable {
  id: string
  server: string
  /** Unix milliseconds. */
  asked: number
  asked_by: string
}

/** What each process has made of one. */
export interface RestartOutcomesTable {
  restart: string
  process: string
  /** Null while it is at it. */
  outcome: string | null
}

/** What the replicas of an installation know in common. */
export interface SettingsTable {
  name: string
  /** Plain, or sealed under `cluster.secret`. */
  value: string
}

/** Files that are kept for callers. */
export interface KeptFilesTable {
  key: string
  owner: string
  /** Sealed. */
  facts: string
  bytes: number
  /** Unix milliseconds. */
  created: number
  expires: number
  /** 0 while its parts are being written. */
  is_whole: number
}

export interface FilePartsTable {
  key: string
  part: number
  /** Sealed. */
  content: string
}

export interface KeptBatchesTable {
  key: string
  owner: string
  /** Sealed. */
  facts: string
  /** Unix milliseconds. */
  created: number
  expires: number
  forgotten: number
  cancelled: number | null
  ended: number | null
  /** Sealed. */
  end: string | null
  /** 0 while its lines are being written. */
  is_whole: number
}

export interface BatchLinesTable {
  key: string
  line: number
  /** Null while nothing has come of it. Before what is large, so that counting passes over that. */
  outcome: string | null
  /** Sealed, all of them. */
  name: string
  request: string
  result: string | null
}

export interface SealedSecretsTable {
  id: string
  kind: string
  owner: string
  name: string
  version: number
  /** Sealed, both. */
  data_key: string
  content: string
  sealed_with: string
  /** Unix milliseconds. */
  created: number
  changed: number
  expires: number | null
}

/** Keys our authorization server signs with. */
export interface OAuthKeysTable {
  /** From 1; the newest has the highest. */
  number: number
  /** The private JWK. */
  sealed: string
  /** Unix milliseconds. */
  made: number
}

/** Calls that wait for a person, or did. */
export interface ApprovalsTable {
  id: string
  /** Keyed hash of the call that it is for. */
  match: string
  /** Keyed hashes of whose call it is. */
  owner: string
  session: string
  /** Sealed. */
  facts: string
  /** Sealed; null while nobody has ruled. */
  rulings: string | null
  status: string
  /** Keyed hash of the call that runs on it. */
  used_by: string | null
  /** Of each change one more. */
  version: number
  /** Unix milliseconds. */
  created: number
  expires: number
}

/** What an administrator has stopped. Times are Unix milliseconds. */
export interface StopsRow {
  id: string
  kind: string
  name: string
  reason: string | null
  made_by: string
  made: number
  until: number | null
  lifted: number | null
  lifted_by: string | null
  /** How far what was done is on record: 0, 1 (that it was made), 2 (that it was lifted). */
  noted: number
}

/** Labels of what tools keep for later. */
export interface RememberedRow {
  /** Keyed hashes of where it is kept, and of what it is kept under. */
  place: string
  mark: string
  label_hash: string
  /** JSON. */
  label: string
  /** Unix milliseconds. */
  expires: number
}

/** `part`: JSON, see `summaries/part.ts`. */
export interface SummariesRow {
  readonly kind: string
  readonly id: string
  readonly placed: number
  readonly turns: number
  readonly part: string
}

export interface SummaryFactsRow {
  readonly kind: string
  readonly fact: string
  readonly value: string
  readonly placed: number
  readonly id: string
}

export interface SummaryPositionsRow {
  readonly chain: string
  readonly seq: number
}

export interface UsageHoursRow {
  readonly hour: number
  /** All that follows as one key. */
  readonly scope: string
  readonly principal: string
  readonly member_of: string
  readonly credential: string
  readonly consumer: string
  readonly agent: string
  readonly model: string
  readonly upstream: string
  readonly route: string
  readonly calls: number
  readonly failures: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cost: number
  readonly unpriced: number
}

/** Objects of the configuration that were made over the administration API: all of them, after each change. */
export interface ConfigRevisionsRow {
  /** From 1. */
  revision: number
  /** Unix milliseconds. */
  made: number
  made_by: string
  reason: string | null
  /** What was done, for people. */
  summary: string
  /** JSON: kind -> name -> object. */
  objects: string
  /** 0 until what was done is on record. */
  noted: number
}

export interface NotedActsRow {
  id: string
  /** Unix milliseconds. */
  time: number
  done_by: string
  act: string
  subject: string
  reason: string
  /** When a process took it upon itself to record it; 0 when none has. */
  claimed: number
}

export interface StoreTables {
  noted_acts: NotedActsRow
  config_revisions: ConfigRevisionsRow
  approvals: ApprovalsTable
  sealed_secrets: SealedSecretsTable
  virtual_keys: VirtualKeysTable
  accounts: AccountsRow
  account_links: AccountLinksRow
  entries: EntriesTable
  tool_listings: ToolListingsTable
  tool_pins: ToolPinsTable
  held_tools: HeldToolsTable
  server_restarts: ServerRestartsTable
  restart_outcomes: RestartOutcomesTable
  settings: SettingsTable
  kept_files: KeptFilesTable
  file_parts: FilePartsTable
  kept_batches: KeptBatchesTable
  batch_lines: BatchLinesTable
  people: PeopleRow
  person_groups: PersonGroupsRow
  directory_users: DirectoryUsersRow
  directory_groups: DirectoryGroupsRow
  revocations: RevocationsRow
  oauth_keys: OAuthKeysTable
  stops: StopsRow
  remembered: RememberedRow
  summaries: SummariesRow
  summary_facts: SummaryFactsRow
  summary_positions: SummaryPositionsRow
  usage_hours: UsageHoursRow
}
