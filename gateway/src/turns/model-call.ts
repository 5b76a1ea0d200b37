/**
 * The life of a model call, top to bottom. Each stage is one file; the line before it says why it stands
 * where it stands. Read this file and `tool-call.ts` and you know the product.
 */
import type { Route } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import { newId } from '../core/ids.ts'
import { pause } from '../models/balancing/pausing.ts'
import { failsOver, routeCall } from '../models/routing-upstream.ts'
import type { CallSpan } from '../telemetry/telemetry.ts'
import type { Dialect } from '../wire/dialect.ts'
import { admitHistory } from './deciding/admitting-history.ts'
import { openAnswer } from './answering/answer.ts'
import { answerError } from './answering/answering-client.ts'
import { chooseUpstreams } from './answering/choosing-upstreams.ts'
import { hedgingOf } from './answering/hedging-call.ts'
import { noteAnswering, onAttempt, outgoing } from './answering/outgoing-call.ts'
import { relayFailure } from './answering/relaying-failure.ts'
import { askAgain, mayAskAgain, RoundsSoFar } from './answering/rounds-so-far.ts'
import { settleAnswer } from './answering/settling-answer.ts'
import { withKeepAlive } from './answering/keeping-alive.ts'
import { decideProposals } from './deciding/deciding-proposals.ts'
import { authoriseModel } from './deciding/authorising-model.ts'
import type { ModelCall, ProposalRulings } from './call.ts'
import { answerFromCache, keepInCache, recordForCache } from './caching/answering-from-cache.ts'
import { guardInput } from './guards/guarding-input.ts'
import { reserveForModel, settleForModel } from './limiting/reserving-for-model.ts'
import { answerLater } from './keeping/answering-later.ts'
import { keepAnswer } from './keeping/keeping-answer.ts'
import { addMessages } from './prompts/adding-messages.ts'
import { addContext } from './context/adding-context.ts'
import { readContext } from './context/reading-context.ts'
import { offerGatewayTools } from './gateway-tools/offering-tools.ts'
import { callMeanings } from './naming/call-meaning.ts'
import { type CallOrigin, traceHeaders } from './origins/call-origin.ts'
import { readModelRequest } from './reading-request.ts'
import { recordModelOutcome, recordRefusedModel } from './recording/recording-model-call.ts'
import { restoreRefused } from './answering/restoring-refused.ts'
import type { Services } from './services.ts'
import { answerWithTools, namesOwnServers } from './serving-tools/answering-with-tools.ts'
import { attachSession } from './sessions/attaching-session.ts'
import { expectHistory } from './sessions/expecting-history.ts'
import { readHistory } from './sessions/history.ts'
import { failPlace, placeOf, savePlace } from './sessions/places.ts'
import { callStateOf, closeState, forCall, inOneStep, settleState } from './state-of-call.ts'
import { sessionNames } from './stops/standing-stops.ts'
import { requireSession } from './stops/stopped-tool.ts'
import { tellModel } from './telling/telling-model.ts'
import { transformRequest } from './transforms/transforming-request.ts'
import { narrowWhenRun } from './deciding/narrowing-when-sent.ts'
import { shapeTools } from './deciding/shaping-tools.ts'

/** Answers one model call, whatever happens. The origin's answer is ended when this resolves. Never rejects on account of a call. */
export async function runModelCall(gateway: Services, origin: CallOrigin, dialect: Dialect): Promise<void> {
  const started = gateway.clock.monotonic()
  // A call ends on the revision it started on.
  const snapshot = gateway.snapshot()
  let span: CallSpan | undefined
  let call: ModelCall | undefined
  let hasFailed = false
  const exits: (() => void)[] = []
  try {
    // Who is calling comes first: nothing of a stranger's body is parsed.
    const caller = origin.caller ?? (await gateway.authenticator.authenticate(origin, snapshot, 'models'))
    // Whoever is shut out while the call runs has it cut.
    exits.push(gateway.live.enter(caller, origin))
    // Parsed once; what we decide on is what the upstream reads.
    const read = await readModelRequest(gateway, origin, caller, dialect, snapshot)
    // Who does not wait is told where to look; the call then runs like any other, on behalf of the same caller.
    if (read.isLater === true) return await answerLater(gateway, { origin, caller, dialect, snapshot, read }, runModelCall)
    // Tools of ours that the vendor is expected to run are run here: every round of the request is a call like any other.
    if (namesOwnServers({ dialect, snapshot, read }))
      return await answerWithTools(gateway, { origin, caller, dialect, snapshot, read }, runModelCall)
    const { bytes, body, view, keeping } = read
    span = gateway.telemetry.startModelCall({
      requestModel: view.model,
      dialect: dialect.name,
      stream: view.stream,
      ...traceHeaders(origin),
    })
    // The session carries the label, so it is found before anything is decided; the turn is that of the person's last message in it.
    const history = readHistory(view.messages, gateway.secret, [caller.principal.id, caller.consumer ?? ''])
    const request = { headers: origin.headers, fields: body.fields, view, history }
    const { services, session, turn, firstNew, presented, client, side } = await inOneStep(forCall(gateway, caller), async (own) => {
      const attached = await attachSession(own, snapshot, caller, request)
      const state = callStateOf(own)
      if (state !== undefined) await expectHistory(state, own, caller.principal.id, attached, history)
      return { services: own, ...attached }
    })
    const attached = { services, snapshot, caller, session, turn, span, modelCall: newId('mc') }
    // Whoever stops the session stops what is under way in it.
    exits.push(gateway.live.enterAs(sessionNames(session.state), origin))
    // Grants and stops are checked with the session known, so that a refusal is on record where it belongs.
    const { route, source } = refuseOnRecord(
      () => {
        requireSession(gateway, session)
        return authoriseModel(snapshot, view.model, { caller, headers: origin.headers, dialect: dialect.name }, origin.granted)
      },
      (error) => recordRefusedModel(attached, view.model, error),
    )
    call = {
      ...attached,
      origin,
      dialect,
      keeping,
      view,
      body,
      bytes,
      presented,
      pending: [],
      ifRun: [],
      narrowing: nothingRead,
      history,
      firstNew,
      place: placeOf(history),
      client,
      side,
      meanings: callMeanings(services.fleet, snapshot, client),
      through: new Map(),
      decision: newId('dec'),
      grant: source,
      told: [],
      hidden: [],
      withheld: [],
      neutralised: { links: 0, invisible: 0 },
      rounds: new RoundsSoFar(),
      attempt: undefined,
      limits: undefined,
      route: route.model,
      templated: read.templated,
      transforms: undefined,
      added: undefined,
      context: undefined,
      guards: undefined,
      cache: undefined,
    }
    // What the operator wants changed of its settings is changed first: whatever looks at the request from here on sees what goes out.
    transformRequest(call, route)
    // What the history brings narrows the label before the model sees it.
    await admitHistory(call)
    // The place is kept now: a client that never comes back for this answer may still go on from here.
    await savePlace(call)
    // What the operator has looked up about the person's message is read like the result of a tool, so it narrows the label too.
    await readContext(call, route)
    // The model must see the calls that were refused earlier, or it would make them again, and what it was told.
    await restoreRefused(call)
    // With the label final for this call, tools it cannot reach are taken out of the offer.
    await shapeTools(call, route)
    // What the gateway can do about what it withholds is offered beside them.
    offerGatewayTools(call)
    // Nothing disappears without a word: what the model is told once stays where it was told.
    await tellModel(call)
    // What was looked up stands behind the message it is about, and behind what was told there.
    addContext(call)
    // What the operator says beside the conversation goes out with it, and is counted and looked at like the rest: it is no part of it.
    addMessages(call, route)
    // What the call may use is reserved over all its limits at once, before anything is sent.
    await reserveForModel(call, route)
    // What goes to a model passes the guards; its client's own words stay what everything else is decided on.
    await guardInput(call, route)
    // The model is asked, and its calls are decided, until there is something the client may have.
    const failure = await converse(call, route)
    // The provider's usage is the truth; the outcome closes the record.
    recordModelOutcome(call, started, failure)
    if (failure !== undefined) await failPlace(call)
  } catch (thrown) {
    const error = answerError(
      origin.outlet,
      dialect,
      withTurn(origin.signal.aborted ? origin.signal.reason : thrown, call),
      call?.limits?.headers,
    )
    if (error.code.startsWith('auth.')) gateway.telemetry.count('turnward_auth_failures_total', { code: error.code })
    if (call === undefined) span?.end({ outcome: isRefusal(error) ? 'refused' : 'error', errorCode: error.code })
    else {
      recordModelOutcome(call, started, error)
      hasFailed = true
    }
    if (error.status >= 500)
      gateway.telemetry.logger.error({ code: error.code, turn: call?.turn ?? undefined, err: error.cause }, error.message)
  } finally {
    for (const exit of exits) exit()
    // Whatever answers in the call's place says nothing when it is cut.
    if (origin.signal.aborted && origin.outlet.isOpen) answerError(origin.outlet, dialect, origin.signal.reason)
    if (call !== undefined) {
      // What it has not used is given back, whatever became of it.
      await settleForModel(call)
      await leave(call, hasFailed)
    }
  }
}

/** What is left behind for the next request of the conversation, whatever became of this one. */
function leave(call: ModelCall, hasFailed: boolean): Promise<void> {
  const { services, session, snapshot } = call
  return closeState(services, async () => {
    if (hasFailed) await failPlace(call)
    await services.sessions.save(session, snapshot.settings.turns.session_idle_ms)
  })
}

/** Asks upstreams until the message is settled, and sends it. Resolves with a failure that an upstream has told the client itself. */
async function converse(call: ModelCall, route: Route): Promise<TurnwardError | undefined> {
  const { services, snapshot, caller, origin } = call
  const answer = openAnswer(call)
  try {
    // The same was asked before, by whoever may have the answer: it is given again, and nothing is sent.
    const kept = await answerFromCache(call, route)
    // Which upstream first, and which after it: as the route balances, and as they are.
    let attempts = await chooseUpstreams(call, route)
    const { signal } = origin
    for (;;) {
      // Route: the first upstream that takes the call, or of several the first that begins to answer. The decision to send it there is on record before it goes.
      const asked = { snapshot, caller, call: outgoing(call), signal, attempts }
      const hooks = { onAttempt: onAttempt(call, attempts), hedging: hedgingOf(call, attempts) }
      const routed = kept ?? recordForCache(call, await routeCall(services, { ...asked, ...hooks }))
      noteAnswering(call, routed)
      if (routed.response.status >= 400) return await relayFailure(call, routed)
      // Take: text goes out as it comes, calls are held. As long as nothing went out, the next upstream may do better.
      const round = await answer.take(routed).catch(async (error: unknown) => {
        const wait = answer.hasShown ? undefined : failsOver(services, attempts, routed, error)
        if (wait !== undefined) return wait === 0 ? undefined : pause(wait, signal)
        // What has run behind an answer that broke off, nobody can tell.
        if (answer.hasShown) await narrowWhenRun(call)
        throw error
      })
      if (round === undefined) {
        answer.drop()
        call.rounds.drop()
        continue
      }
      call.rounds.note(round, routed.target, call.view.model)
      // What it costs is on record with it; prices are loaded when they are first needed.
      await services.prices.ready(routed.target.upstream)
      // What the vendor's own tools have read counts before anything that was made of it.
      if (round.vendorRan === true) await narrowWhenRun(call)
      // The model has taken its time: what its calls are decided on is looked at again.
      callStateOf(services)?.doubt()
      // Rule: each proposed call is decided, and its decision is on disk, before a byte of it is released.
      const rulings = round.calls.length === 0 ? noProposals : await withKeepAlive(call, () => decideProposals(call, round))
      // A call that stays here does not end the turn: the model is told what came of it, and asked again within the same request.
      if (mayAskAgain(call, round, rulings)) {
        askAgain(call, answer, round, rulings)
        // What the model is told now passes the guards like what it was told first.
        await guardInput(call, route)
        attempts = attempts.again()
        continue
      }
      // Remember, then release: the next request of the conversation needs what was shown and what was taken out.
      await settleAnswer(call, answer, round, rulings)
      // Who goes on from the answer by its id finds what was released.
      await keepAnswer(call, answer)
      // Whoever asks the same next may be given what the upstream said.
      keepInCache(call, routed, round)
      await settleState(services)
      // What was used is settled before its client can ask again, which what was only reserved would stand in the way of.
      call.rounds.said = answer.saidCharacters
      await settleForModel(call)
      answer.end()
      return undefined
    }
  } finally {
    call.rounds.said = answer.saidCharacters
    answer.stop()
  }
}

const nothingRead = Promise.resolve()

const noProposals: ProposalRulings = { allowed: new Set(), stayed: [], written: new Map() }

/** Runs a check; what it throws is recorded first. */
export function refuseOnRecord<T>(check: () => T, record: (error: unknown) => void): T {
  try {
    return check()
  } catch (error) {
    record(error)
    throw error
  }
}

function withTurn(thrown: unknown, call: ModelCall | undefined): unknown {
  if (thrown instanceof TurnwardError && call !== undefined && call.turn !== null) thrown.turn ??= call.turn
  return thrown
}

/** Whether somebody was not let in; every other failure is nobody's decision. */
function isRefusal({ code }: TurnwardError): boolean {
  return code.startsWith('auth.') || code.startsWith('grant.') || code.startsWith('stop.') || code === 'guard.refused'
}
