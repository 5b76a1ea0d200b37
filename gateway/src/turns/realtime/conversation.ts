/**
 * One realtime session as a session of ours: whose it is, its label, its turns. What happens in it happens in steps, each of
 * which sees the session and the configuration as they are then, so that what is revoked or tightened meanwhile counts.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { RouteTarget, Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { newId } from '../../core/ids.ts'
import type { Caller } from '../../core/principal.ts'
import type { Presented } from '../../identity/ways/way.ts'
import { providers } from '../../providers/providers.ts'
import type { Session } from '../../state/sessions.ts'
import type { CallSpan } from '../../telemetry/telemetry.ts'
import type { RequestView } from '../../wire/dialect.ts'
import type { ProposingCall, ReadingCall } from '../call.ts'
import type { AnsweredCall } from '../deciding/admitting-history.ts'
import { authoriseModel } from '../deciding/authorising-model.ts'
import { callMeanings } from '../naming/call-meaning.ts'
import type { Services } from '../services.ts'
import { beginning } from '../sessions/fresh-state.ts'
import { namedSession, sessionNamed } from '../sessions/naming-session.ts'
import { closeState, forCall, inOneStep } from '../state-of-call.ts'

/** What a step works on: enough to admit what is read, and to decide on what is proposed. */
export type RealtimeStep = ProposingCall & ReadingCall

export interface ConversationOptions {
  readonly services: Services
  readonly snapshot: Snapshot
  readonly caller: Caller
  /** What the one who opened it showed. */
  readonly presented: Presented
  readonly session: Session
  readonly span: CallSpan
  /** The name the client asked for. */
  readonly model: string
  readonly grant: string
}

export class Conversation {
  readonly services: Services
  readonly model: string
  readonly session: string
  /** Calls that may be answered: released ones, and those the client says were made before. */
  readonly made = new Map<string, AnsweredCall>()
  /** Ids of calls that were refused. */
  readonly refused = new Set<string>()
  /** Tools that were taken out of what the client offered last. */
  hidden: readonly string[] = []
  snapshot: Snapshot
  caller: Caller
  grant: string
  attempt: ProposingCall['attempt']
  /** Where it was sent. */
  target: RouteTarget | undefined
  turn: string | null = null
  /** Rounds in a row whose calls were all refused. */
  rounds = 0
  readonly #presented: Presented
  readonly #span: CallSpan
  #hasAnswered = true

  constructor({ services, snapshot, caller, presented, session, span, model, grant }: ConversationOptions) {
    this.services = services
    this.snapshot = snapshot
    this.caller = caller
    this.session = session.id
    this.model = model
    this.grant = grant
    this.#presented = presented
    this.#span = span
  }

  /** The upstream that was chosen. */
  sentTo(target: RouteTarget, credential: string): void {
    const { name, config } = target.upstream
    this.target = target
    this.attempt = { upstream: name, provider: providers[config.kind].telemetryName, credential }
  }

  /** As `renew`, if the configuration is another one by now. */
  async keepUp(): Promise<void> {
    if (this.services.snapshot() !== this.snapshot) await this.renew()
  }

  /** Whether its caller may go on, by the configuration as it is now. Rejects with `auth.*` or `grant.model`. */
  async renew(): Promise<void> {
    const snapshot = this.services.snapshot()
    const caller = await this.services.authenticator.authenticate(this.#presented, snapshot, 'models')
    const { source } = authoriseModel(snapshot, this.model, { caller, headers: this.#presented.headers, dialect: 'realtime' })
    Object.assign(this, { snapshot, caller, grant: source })
  }

  /** The person has said something: after an answer, that begins a turn. */
  async personSpoke(): Promise<void> {
    this.rounds = 0
    if (this.#hasAnswered) await this.#beginTurn()
  }

  /** The model begins to answer. */
  async answerBegan(): Promise<void> {
    if (this.turn === null) await this.#beginTurn()
    this.#hasAnswered = true
  }

  /** Runs something that needs the session. What it changed is written when this resolves. */
  async step<R>(modelCall: string, run: (call: RealtimeStep) => Promise<R>): Promise<R> {
    await this.keepUp()
    const { snapshot, caller, turn, attempt } = this
    const idle = snapshot.settings.turns.session_idle_ms
    const services = forCall(this.services, caller)
    const session = await services.sessions.find(this.session, snapshot.policy, idle)
    // What it has read is not known any more, so nothing can be decided on it.
    if (session === undefined) throw new TurnwardError('state.unavailable', { subject: this.session, why: 'the session is gone' })
    try {
      return await run({
        services,
        snapshot,
        caller,
        session,
        turn,
        span: this.#span,
        modelCall,
        attempt,
        meanings: callMeanings(services.fleet, snapshot, undefined),
        client: undefined,
        through: new Map(),
        view: noView,
        presented: session.policyState.label,
        pending: [],
      })
    } finally {
      await closeState(services, async () => services.sessions.save(session, idle))
    }
  }

  async #beginTurn(): Promise<void> {
    this.#hasAnswered = false
    this.turn = newId('turn')
    const { turn } = this
    await this.step(newId('mc'), async ({ services, session }) =>
      services.sessions.change(session, (state) => [{ ...state, turn }, undefined]),
    )
  }
}

/** The whole of a conversation is never here; each part is admitted when it comes. */
const noView: RequestView = { model: '', stream: true, messages: [], tools: [], wantsUsage: true, choices: 1 }

/** The session that the caller names, or a new one. */
export async function beginSession(services: Services, snapshot: Snapshot, caller: Caller, headers: IncomingHttpHeaders): Promise<Session> {
  const name = namedSession(headers)
  const own = forCall(services, caller)
  const idle = snapshot.settings.turns.session_idle_ms
  const id = newId('ses')
  let begun: Session | undefined
  try {
    begun = await inOneStep(own, async (within) => {
      if (name !== undefined) return sessionNamed(within, snapshot, caller, name)
      const begin = await beginning(within, snapshot, caller.principal)
      return within.sessions.create(
        { id, principal: caller.principal.id, consumer: caller.consumer, source: 'realtime', parent: null, ...begin },
        snapshot.policy,
        idle,
      )
    })
    return begun
  } finally {
    const session = begun
    await closeState(own, async () => {
      if (session !== undefined) await own.sessions.save(session, idle)
    })
  }
}
