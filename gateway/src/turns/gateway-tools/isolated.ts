/** `turnward__isolated`: a risky read in a session of its own, which this one learns nothing of but one bounded answer. */
import { type CancelSignal, following } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { isolatedToolName } from '../../core/tool-names.ts'
import { suspect, unconfirmedEffect } from '../../policy/effects.ts'
import { granted } from '../../policy/grant-index.ts'
import { join } from '../../policy/label.ts'
import type { PolicyState } from '../../policy/types.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'
import type { AttachedCall } from '../call.ts'
import { labelOfAnswer, runTask, type TaskEnd } from '../isolating/running-task.ts'
import { beginOwnSession } from '../own-model-call.ts'
import { admitAnswers } from '../quarantine/admitting-answers.ts'
import { answerTypeSchema, readAnswerType } from '../quarantine/answer-types.ts'
import { takeBits } from '../quarantine/question-budget.ts'
import { isolatedSource } from '../sessions/conversations.ts'
import { callStateOf, settleState } from '../state-of-call.ts'
import type { GatewayAnswer, GatewayTool, GatewayToolContext } from './gateway-tool.ts'

const longestTask = 8000
const mostTools = 32

export const isolatedTool: GatewayTool = {
  definition: {
    name: isolatedToolName,
    description:
      'Has another model do a task that reads what is not trusted, in a session of its own, with the tools you name and nothing else. You get one bounded answer and none of what was read, so that you stay able to act. Say exactly what is to be found out.',
    inputSchema: {
      type: 'object',
      properties: {
        task: { type: 'string', maxLength: longestTask },
        tools: {
          type: 'array',
          items: { type: 'string' },
          minItems: 1,
          maxItems: mostTools,
          description: 'Names of tools of MCP servers behind the gateway.',
        },
        answer: answerTypeSchema,
      },
      required: ['task', 'tools', 'answer'],
      additionalProperties: false,
    },
  },
  // The tools that are named for a task may do anything.
  isReadOnly: false,
  isOfUse: ({ session, snapshot }) => snapshot.settings.isolate !== undefined && session.state.source !== isolatedSource,
  run: isolate,
}

async function isolate(call: AttachedCall, args: JsonObject, context: GatewayToolContext): Promise<GatewayAnswer> {
  const { settings } = call.snapshot
  if (settings.isolate === undefined) return failed('not done: no model is configured for it')
  if (call.session.state.source === isolatedSource) return failed('not done: this is such a task already')
  const { task } = args
  if (typeof task !== 'string' || task.trim() === '' || task.length > longestTask)
    return failed(`\`task\` must be text of 1 to ${longestTask} characters`)
  // Nothing has been read: there are no items to answer with the number of.
  const type = readAnswerType(args.answer, () => undefined)
  if (typeof type === 'string') return failed(`\`answer\`: ${type}`)
  if (type.bits > settings.isolate.max_bits)
    return failed(`\`answer\`: no more than ${settings.isolate.max_bits} bits are told of one task; ask for less`)
  const tools = await namedTools(call, args.tools)
  if (typeof tools === 'string') return failed(tools)
  if (!(await takeBits(call, 'isolate', type.bits, settings.isolate.max_session_bits)))
    return failed(`not done: no more than ${settings.isolate.max_session_bits} bits are told of all isolated tasks of one session`)

  const before = call.session.policyState
  const label = context.besides === undefined ? before.label : join(before.label, context.besides)
  const { done, reserved } = before.effects
  // What was done here must not be done again there.
  const effects = { done: done.map(unconfirmedEffect), reserved }
  const session = await beginOwnSession(call.services, call, call.caller, { label, source: isolatedSource, effects })
  const { signal, stop } = withTimeout(context.signal, settings.isolate.timeout_ms)
  try {
    const { decision, onProgress } = context
    const end = await runTask(call, { session, task, tools, type, decision, signal, onProgress })
    callStateOf(call.services)?.doubt()
    await learn(call, session, end)
    if (end.form === 'no answer') return failed(`not answered: ${end.why}`)
    return { text: end.value === null ? 'There is no answer of the wanted kind.' : JSON.stringify(end.value), isError: false }
  } catch (error) {
    callStateOf(call.services)?.doubt()
    await learn(call, session, undefined)
    if (context.signal.aborted || !signal.aborted) throw error
    return failed(`not answered: it took longer than ${settings.isolate.timeout_ms} milliseconds`)
  } finally {
    stop()
  }
}

/** The tools of the configured gateway with these names that the caller may use. A text says what is wrong; unknown and ungranted ones alike. */
async function namedTools(
  { services, snapshot, caller }: AttachedCall,
  names: JsonValue | undefined,
): Promise<readonly CatalogueTool[] | string> {
  const named = Array.isArray(names) ? [...new Set(names)] : []
  if (named.length === 0 || named.length > mostTools) return `\`tools\` must name 1 to ${mostTools} tools`
  const gateway = snapshot.settings.isolate?.gateway ?? ''
  const isOpen = snapshot.policy.grants.ruling(caller, 'gateways', gateway).allowed
  const { tools } = await services.fleet.for(snapshot, caller).catalogue(gateway)
  const usable = isOpen ? tools.filter(({ name }) => granted(snapshot.policy.grants, caller, 'tools', name) !== undefined) : []
  const found = named.flatMap((name) => usable.filter((tool) => tool.name === name))
  return found.length === named.length
    ? found
    : `\`tools\`: there are none of these names that you may use; they must be tools of \`${gateway}\``
}

/** What the task has done may have been done; what its answer says is read. Without an end nothing was told. */
async function learn(call: AttachedCall, id: string, end: TaskEnd | undefined): Promise<void> {
  const { snapshot } = call
  const child = await call.services.sessions.find(id, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  if (child === undefined) throw new TurnwardError('gateway.internal', { why: 'the session of an isolated task is gone' })
  // What other calls have made of it, and not what this one knows: a change that changes nothing is made on what is there.
  const { label, effects } = await call.services.sessions.changePolicyState(child, (now) => [now, now])
  const names = [...effects.done, ...Object.values(effects.reserved).flat()].map((effect) => effect.replace(/^\?/, ''))
  await call.services.sessions.changePolicyState(call.session, (state): readonly [PolicyState, undefined] => {
    const ledger = suspect(
      state.effects,
      names.filter((name) => !state.effects.done.includes(unconfirmedEffect(name))),
    )
    return [ledger === state.effects ? state : { ...state, effects: ledger }, undefined]
  })
  if (end === undefined) return
  const digest = sha256(JSON.stringify(end.form === 'answered' ? end.value : null))
  await admitAnswers(call, { answers: labelOfAnswer(call, label, end.called), from: isolatedToolName, digest })
  await settleState(call.services)
}

/** The signal of who waits, and of a task that takes too long. */
function withTimeout(signal: CancelSignal, ms: number): { readonly signal: CancelSignal; readonly stop: () => void } {
  const { own, stop } = following(signal)
  const timer = setTimeout(() => own.cancel(new TurnwardError('request.cancelled', { why: 'it took too long' })), ms)
  return {
    signal: own,
    stop: () => {
      clearTimeout(timer)
      stop()
    },
  }
}

function failed(text: string): GatewayAnswer {
  return { text, isError: true }
}
