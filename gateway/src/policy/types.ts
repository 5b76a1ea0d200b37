/**
 * The nouns of the policy engine. Everything here is immutable data; the engine is pure functions over it
 * (`admit.ts`, `decide.ts`). No I/O, no clock, no randomness in this room.
 */
import type { Action, GapRecord, RemedyRecord } from '@turnward/contract/decision'
import type { PackName } from '@turnward/contract/config/packs'
import type { JsonObject } from '../core/json.ts'
import type { Caller, Principal } from '../core/principal.ts'
import type { ArgumentRoles } from './argument-roles.ts'
import type { Exceptions } from './argument-shapes/argument-shapes.ts'
import type { GrantIndex } from './grant-index.ts'
import type { Remembers } from './remembered-values.ts'

/**
 * Who may receive data: every clause must hold, a clause holds for a reader it names (directly, through a
 * group or a domain). No clauses: public. Kept as clauses so that intersection is exact without a directory.
 * Clauses and their readers are sorted and unique, and no clause is a superset of another.
 */
export type Audience = readonly (readonly string[])[]

/** What a session carries. `trust` is a rank: an index into the configured list, 0 is least trusted. */
export interface Label {
  readonly trust: number
  readonly audience: Audience
}

/** A result as a `success` condition sees it. */
export interface ResultView {
  readonly text: string
  /** Undefined where the dialect cannot say. */
  readonly isError: boolean | undefined
}

/** A pack and what it is for: one configured server, or undefined for an agent. */
export interface BoundPack {
  readonly pack: PackName
  readonly server: string | undefined
}

/** A compiled contract: what is known of a tool. */
export interface Contract {
  /** The name or pattern of the tools it is for: `mail__send`. */
  readonly pattern: string
  /** What reasons call it: the pattern, and the packs it comes from (`Bash (pack claude-code@1)`). */
  readonly source: string
  /** The packs it comes from; absent when an administrator wrote it. */
  readonly packs?: readonly PackName[] | undefined
  /** Whether a result shows that the call succeeded; `unknown` when the condition cannot be answered for it. Absent: nothing was declared. */
  readonly succeeded?: ((result: ResultView) => boolean | 'unknown') | undefined
  /** SHA-256 (hex) of the contract as an administrator has written it; absent for one of a pack, which `source` names with its version. */
  readonly digest?: string | undefined
  /** Why a pack says so. */
  readonly why?: string | undefined
  readonly output: {
    /** Rank; undefined adds nothing. */
    readonly trust: number | undefined
    /** Why its results deserve it, where an administrator says so. */
    readonly because?: string | undefined
    /** Normalised readers (`$principal` allowed); undefined adds nothing. */
    readonly audience: readonly string[] | undefined
    /** No model reads the result itself; absent: it goes on as it is. */
    readonly as?: 'quarantine' | undefined
    /** Rank of bounded answers about a result that its conversation has not read; undefined: that of the result. */
    readonly answers?: number | undefined
    /** What it lists, and where: `at` is the way there. Absent: nothing that has ids. */
    readonly records?:
      | { readonly of: string; readonly id: string; readonly names: readonly string[]; readonly at: readonly string[] }
      | undefined
  }
  readonly effects: readonly string[]
  /** What its arguments are for; absent: nothing is asked of where their values come from. */
  readonly args?: ArgumentRoles | undefined
  /** What it keeps for later, or reads again: with effects it writes, and in any case it reads. Absent: nothing. */
  readonly remembers?: Remembers | undefined
  readonly requires: {
    readonly trust: number | undefined
    /** Arguments with which `trust` is not needed; see `argument-shapes.ts`. Absent: it always is. */
    readonly unless?: Exceptions | undefined
    /** Literal readers, `$principal`, or `$args.<path>`, with a `?` behind when it may be left out. */
    readonly includes: readonly string[]
    readonly done: readonly string[]
    readonly notDone: readonly string[]
    /** Words, one of which the person has to have written once the session is below the rank; absent: any. */
    readonly asked?: { readonly words: readonly string[]; readonly trust: number } | undefined
    /** A person has to approve the call, or may where it lacks something; absent: nobody is asked. */
    readonly approval?: RequiredApproval | undefined
  }
}

/** Who may approve a call, and how many of them it takes. Plain JSON, because it is stored. */
export interface ApprovalTerms {
  /** What asks for it: `contract pay__order`, `rule large-payments`. */
  readonly source: string
  /** Ids of principals and `@group`s, sorted; compared exactly. */
  readonly from: readonly string[]
  readonly count: number
  /** Whether the principal of the call may be one of them. */
  readonly self: boolean
}

export interface RequiredApproval {
  readonly terms: ApprovalTerms
  /** Which calls wait whatever they lack; undefined: none. */
  readonly condition: Condition | undefined
  /** What an approval stands in for. */
  readonly insteadOf: readonly GapKind[]
}

/** Hints an MCP server gives about a tool. They can only tighten. */
export interface ToolHints {
  readonly readOnlyHint?: boolean | undefined
  readonly destructiveHint?: boolean | undefined
  readonly openWorldHint?: boolean | undefined
}

/** The `server` of a tool that a client runs itself. A configured server of this name is taken for one: that may cost a refusal. */
export const clientRun = 'client'

/** A tool as the engine sees it. `name` is `server__tool`, or the client's own name for a client-side tool. */
export interface ToolSubject {
  readonly name: string
  /** MCP server, or `client` for a tool the client runs itself. */
  readonly server: string
  readonly hints?: ToolHints | undefined
  /** A tool of the gateway itself: an allowed call of it is answered here and never leaves. */
  readonly answeredHere?: boolean | undefined
  /** Annotation, name and arguments of an MCP tool agree that it only reads (`reading-tools.ts`). Never set for tools a client runs. */
  readonly reading?: boolean | undefined
}

/** What has happened in a session, for `done` and `not_done`. Plain JSON, because it is stored. */
export interface EffectLedger {
  /**
   * Effects of calls that succeeded; sorted, unique. An effect marked with a leading `?` may have happened
   * (nobody vouches for it): it stands in the way of `not_done` and never satisfies `done`. See `effects.ts`.
   */
  readonly done: readonly string[]
  /** Tool call key -> effects of a call that was allowed and has not ended. */
  readonly reserved: Readonly<Record<string, readonly string[]>>
  /** Keys of calls that ended where they ran, newest last: settled there, or refused. What a history says of them adds nothing. */
  readonly ended?: readonly string[]
}

/** The part of a session the engine reads and returns. */
export interface PolicyState {
  readonly label: Label
  readonly effects: EffectLedger
}

export interface ToolCallEvent {
  readonly tool: ToolSubject
  readonly args: JsonObject
  readonly caller: Grantee
  readonly gateway: string | null
  /** Key under which the effects of this call are or will be reserved; its own reservation never blocks it. */
  readonly callKey: string
}

export type GapKind = GapRecord['kind']

/** One thing that is missing for a call to be allowed. */
export interface Gap {
  readonly kind: GapKind
  /** In words that never quote arguments or results. */
  readonly detail: string
  readonly source: string
}

/** A way the refused call could become allowed under this configuration. */
export interface Remedy {
  readonly kind: RemedyRecord['kind']
  readonly detail: string
}

export interface Verdict {
  /** What the rules recommend. */
  readonly verdict: 'allow' | 'deny' | 'warn'
  /** What is enforced: see `Action`. Only `release` and `observe` let a call run where it was to run. */
  readonly action: Exclude<Action, 'hide'>
  readonly gaps: readonly Gap[]
  readonly remedies: readonly Remedy[]
  /** Everything that decided: `grant #2`, `contract mail__send`, `rule interns-read-only`. */
  readonly rules: readonly string[]
  readonly reason: string
  /** Effects to reserve if the call is released. */
  readonly effects: readonly string[]
  /** Of a call that is held: whose approval it waits for, one for each that asks for it. */
  readonly awaits?: readonly ApprovalTerms[] | undefined
}

/** A compiled CEL rule. */
export interface Rule extends Condition {
  readonly name: string
  /** `escalate`: the call waits until a person has ruled on it. */
  readonly verdict: 'deny' | 'warn' | 'escalate'
  /** Of `escalate`: whose approval it waits for. */
  readonly terms?: ApprovalTerms | undefined
  readonly reason: string
  /** SHA-256 (hex) of the rule as it is written. */
  readonly digest: string
}

/** A compiled condition. */
export interface Condition {
  /** Whether it reads `args`; a rule that does cannot hide a tool from a list. */
  readonly readsArguments: boolean
  /** What else it reads: `session.trust`, `principal.claims`; `session` where it is used as a whole. */
  readonly reads: readonly string[]
  /** True when it applies. Throws on any error in it: the caller must deny. */
  readonly applies: (input: RuleInput) => boolean
  /** Whether it does not apply whatever the arguments are. False: nobody knows. Never throws. */
  readonly neverApplies: (input: RuleInput) => boolean
}

export interface RuleInput {
  readonly principal: Principal
  /** What the issuer says of the session. */
  readonly claims?: Caller['claims'] | undefined
  readonly actor: string | null
  readonly tool: ToolSubject
  readonly effects: readonly string[]
  readonly args: JsonObject
  readonly gateway: string | null
  readonly state: PolicyState
}

/** The parts of a caller that decide what it may use. A `Caller` is one. */
export interface Grantee extends Pick<Caller, 'principal' | 'actor'> {
  readonly key?: Caller['key']
  readonly consumer?: Caller['consumer']
  readonly actors?: Caller['actors']
  readonly issuer?: Caller['issuer']
  readonly within?: Caller['within'] | undefined
  readonly claims?: Caller['claims'] | undefined
}

/** A compiled set of names and `*` patterns. */
export interface NameMatcher {
  readonly matches: (name: string) => boolean
}

/** Group and address book: what a reader means. */
export interface Directory {
  /** Normalised address or principal id -> every reader name that means this person (id, addresses, `@group`s, domains). */
  readonly namesOf: (reader: string) => readonly string[]
  /** Every declared principal as a reader, to tell whether anybody at all may receive something. Absent: not known. */
  readonly readers?: readonly string[] | undefined
  /** Declared principals as readers, to name some of them; there may be others. Absent: none is named. */
  readonly people?: readonly string[] | undefined
  /** Whether a principal of this very id is declared. Absent: all are. */
  readonly declares?: ((id: string) => boolean) | undefined
  /** Whether an address is that of a declared principal, or of several. */
  readonly owns?: ((address: string) => boolean) | undefined
}

export interface Policy {
  readonly posture: 'strict' | 'standard' | 'observe'
  /** Rank names, least trusted first. */
  readonly trustRanks: readonly string[]
  readonly hide: 'unreachable' | 'never'
  /** Whether the gateway can make a call from a session of its own for a model. Absent: it cannot, and no refusal says so. */
  readonly canIsolate?: boolean | undefined
  /** Whether a person can be asked to vouch for a value. Absent: they can only write it themselves. */
  readonly canEndorse?: boolean | undefined
  /** Tools of the gateway itself. Absent: none. */
  readonly ownTools?: readonly ToolSubject[] | undefined
  readonly grants: GrantIndex
  readonly rules: readonly Rule[]
  /** The most specific contract of a tool name, or undefined when nobody has described it. Cached by name. */
  readonly contractOf: (tool: string) => Contract | undefined
  /** The packs it was compiled with, and the servers they are for. Absent: none. */
  readonly packs?: readonly BoundPack[] | undefined
  /** Every contract, to tell how a missing effect could be had. Absent: no such remedy is offered. */
  readonly contracts?: readonly Contract[] | undefined
  readonly directory: Directory
  /** What contracts and rules are read in the light of, as it is written. Absent: it was not compiled from a configuration. */
  readonly surroundings?: Surroundings | undefined
}

/** SHA-256 (hex) of what a line of the policy refers to: where it is the same, the same line asks the same. */
export interface Surroundings {
  /** Trust ranks, and the caps of conditions. */
  readonly ranks: string
  /** Principals and groups. */
  readonly directory: string
  /** Named lists. */
  readonly values: string
}
