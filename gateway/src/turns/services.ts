/** Everything the two pipelines need, made once by the composition root. */
import type { DecisionLog } from '../audit/decision-log.ts'
import type { LiveFeed } from '../audit/live/live-feed.ts'
import type { LogReading } from '../audit/reading/log-reading.ts'
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import type { Authenticator } from '../identity/authenticate.ts'
import type { Accounts } from '../identity/on-behalf/accounts.ts'
import type { StoredCredentials } from '../identity/vault/stored-credentials.ts'
import type { LiveCalls } from '../identity/live-calls.ts'
import type { People } from '../identity/people/people.ts'
import type { Revocations } from '../identity/revocations.ts'
import type { Vault } from '../identity/vault/vault.ts'
import type { Prices } from '../models/prices/prices.ts'
import type { Upstreams } from '../models/upstreams.ts'
import type { Ledger } from '../state/limits/ledger.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Store } from '../store/store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Fleet } from '../tools/catalogue.ts'
import type { RequestReader } from '../wire/request/request-reader.ts'
import type { McpOperations } from '../tools/operations.ts'
import type { Approvals } from './approvals/approvals.ts'
import type { Batches } from './batches/batches.ts'
import type { BackgroundAnswers } from './keeping/background-answers.ts'
import type { AnswerCache } from './caching/answer-cache.ts'
import type { Vectors } from './embeddings/vectors.ts'
import type { CallOrigin } from './origins/call-origin.ts'
import type { WordsIndex } from './provenance/words-index.ts'
import type { Stops } from './stops/stops.ts'
import type { SessionRegistry } from './sessions/session-registry.ts'

export interface Services {
  /** The snapshot for requests that start now. */
  readonly snapshot: () => Snapshot
  readonly authenticator: Authenticator
  /** Accounts of people at MCP servers. */
  readonly accounts: Pick<Accounts, 'changed'>
  readonly people: People
  readonly revocations: Revocations
  /** What is under way, for the day that whoever it is for is shut out. */
  readonly live: LiveCalls
  /** What administrators have stopped. */
  readonly stops: Stops
  readonly upstreams: Upstreams
  /** How much of each limit is used. */
  readonly ledger: Ledger
  /** Answers that are kept to be given again. */
  readonly answers: AnswerCache
  /** Texts as vectors. */
  readonly vectors: Vectors
  /** What calls cost. */
  readonly prices: Prices
  readonly fleet: Fleet
  readonly log: DecisionLog
  /** What people may ask of it. */
  readonly reading: LogReading
  /** It as it is written, for people. */
  readonly feed: LiveFeed
  readonly state: StateStore
  /** Files and batches of callers, labels of what tools keep; people and their keys, for directories and administrators. */
  readonly store: Pick<
    Store,
    | 'files'
    | 'batches'
    | 'remembered'
    | 'people'
    | 'directories'
    | 'keys'
    | 'stops'
    | 'listings'
    | 'pins'
    | 'restarts'
    | 'configRevisions'
    | 'summaries'
    | 'acts'
  >
  /** Reads bodies of model calls; remembers how recent ones began. */
  readonly requests: RequestReader
  readonly sessions: SessionRegistry
  /** What was said or returned under restricted labels. */
  readonly words: WordsIndex
  /** Answers that are made while nobody waits for them. */
  readonly background: BackgroundAnswers
  /** Calls that wait for a person. */
  readonly approvals: Approvals
  /** Where a person rules on one: a page of ours; undefined where people cannot sign in. */
  readonly approvalLink: (id: string) => string | undefined
  /** Works on batches. */
  readonly batches: Batches
  /** Makes a model call of the gateway's own, in the form of Messages. The origin's answer is ended when this resolves. */
  readonly callModel: (origin: CallOrigin) => Promise<void>
  /** Makes a tool call of the gateway's own, as an MCP client would. Throws as `McpOperations.callTool`. */
  readonly runTool: McpOperations['callTool']
  /** Secrets of people, groups and the installation. */
  readonly vault: Vault
  /** Provider credentials among them. */
  readonly credentials: StoredCredentials
  readonly telemetry: Telemetry
  readonly clock: Clock
  /** Key of everything a client could otherwise guess: session ids, places of conversations, tickets. */
  readonly secret: Buffer
}
