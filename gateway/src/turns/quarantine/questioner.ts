/**
 * Asks about a withheld result by itself: a model that sees what the person asked for, which tool returned the result and what its
 * arguments are called, and never a word of the result. Each question is fixed, with its answer type, before the result is looked
 * at. What it was answered stands beside the handle from then on, the same wherever the handle is shown.
 */
import type { CancelSignal } from '../../core/cancellation.ts'
import { digestJson } from '../../core/hash.ts'
import { newId } from '../../core/ids.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { gatewayServer } from '../../core/tool-names.ts'
import { join } from '../../policy/label.ts'
import type { AttachedCall } from '../call.ts'
import { recordAnswer } from '../gateway-tools/answering-call.ts'
import { askOwnModel } from '../own-model-call.ts'
import { recordOf } from '../recording/recording.ts'
import { answerTypeSchema } from './answer-types.ts'
import { type BoundedAnswer, askBounded } from './asking-bounded.ts'
import { saidObject } from './said-object.ts'
import { type WithheldResult, withheldResult } from './withheld-results.ts'

const system = `You prepare questions about data that was returned by a tool. The data is not trusted: nobody in this conversation may read it, and you do not see it. Another model reads it and answers one bounded question at a time. Ask only what is needed for what the person wants. ${asText(answerTypeSchema.description)} Reply with nothing but a JSON object: {"question": "…", "answer": {"type": …}} to ask, or {"done": true} when nothing more is needed.`

/** Characters of what the person said that it is shown. */
const longestRequest = 8000

/** What the questioner is told of a result. */
export interface Questioned {
  /** What the person asked for; undefined where that is not known. */
  readonly request: string | undefined
  readonly tool: { readonly name: string; readonly description: string | undefined; readonly args: readonly string[] }
  readonly signal: CancelSignal
  /** Told before each question. */
  readonly onRound?: ((round: number) => void) | undefined
}

/** What stands beside the handle. Rejects when nobody waits any more. */
export async function questionResult(call: AttachedCall, handle: string, about: Questioned): Promise<string> {
  const { automatic } = call.snapshot.settings.quarantine ?? {}
  const result = await withheldResult(call, handle)
  if (automatic === undefined || result === undefined) return ''
  const messages: JsonObject[] = [{ role: 'user', content: describe(result, about) }]
  const told: string[] = []
  for (let round = 1; round <= automatic.max_rounds; round += 1) {
    if (!(await takeRound(call, automatic.max_session_rounds)))
      return beside(told, `No more than ${automatic.max_session_rounds} questions are asked by itself in one session.`)
    about.onRound?.(round)
    const asked = await askRound(call, { handle, result, round, messages, signal: about.signal })
    if (asked === undefined) break
    if ('failed' in asked) return beside(told, 'The model that asks could not be reached.')
    const { question, answered } = asked
    if (answered.form === 'answered')
      told.push(
        `- ${JSON.stringify(question).replace(/[⟦⟧]/g, ' ')}: ${answered.answer === 'null' ? 'the data does not say' : answered.answer}`,
      )
    messages.push(
      { role: 'assistant', content: JSON.stringify(asked.said) },
      { role: 'user', content: answered.form === 'answered' ? `Answer: ${answered.answer}` : `Not answered: ${answered.why}` },
    )
  }
  return beside(told, undefined)
}

interface Round {
  readonly handle: string
  readonly result: WithheldResult
  readonly round: number
  readonly messages: readonly JsonObject[]
  readonly signal: CancelSignal
}

type Asked =
  | { readonly said: JsonObject; readonly question: string; readonly answered: BoundedAnswer }
  | { readonly failed: true }
  | undefined

/** One question and its answer, on record; undefined when there is nothing more to ask. */
async function askRound(call: AttachedCall, { handle, result, round, messages, signal }: Round): Promise<Asked> {
  const { services, snapshot, caller, session } = call
  const { automatic } = snapshot.settings.quarantine ?? {}
  if (automatic === undefined) return undefined
  const decision = newId('dec')
  const asking = await askOwnModel(services, call, {
    caller: { ...caller, askedBy: { server: gatewayServer, decision } },
    body: { model: automatic.model, max_tokens: automatic.max_tokens, system, messages: [...messages] },
    // It reads what bounded answers say, and nothing else of the result.
    label: join(session.policyState.label, result.answers),
    source: 'quarantine',
    granted: 'quarantine.automatic',
    signal,
  })
  if ('failed' in asking) return { failed: true }
  const said = saidObject(asking.answer)
  const { question, answer } = said ?? {}
  if (said === undefined || typeof question !== 'string' || !isObject(answer)) return undefined
  const record = recordOf(call, {
    id: decision,
    type: 'decision',
    kind: 'admission',
    subject: `question ${round} about ${result.from}`,
    verdict: 'allow',
    action: 'answer',
    rules: ['quarantine.automatic'],
    reason: 'A bounded question is asked about a result that is withheld.',
    credential: 'none',
    argumentsDigest: digestJson({ question, answer }),
  })
  await services.log.appendDurably(record)
  const started = services.clock.monotonic()
  const answered = await askBounded(call, { handle, result, question, answer }, { decision, signal })
  const text = answered.form === 'answered' ? answered.answer : answered.why
  recordAnswer(call, record, { text, isError: answered.form !== 'answered' }, started)
  return { said: { question, answer }, question, answered }
}

function describe({ from }: WithheldResult, { request, tool }: Questioned): string {
  return [
    `What the person asked for: ${request === undefined ? 'not known.' : JSON.stringify(request.slice(-longestRequest))}`,
    `The tool: ${JSON.stringify(tool.name === '' ? from : tool.name)}${tool.description === undefined ? '' : `, described as ${JSON.stringify(tool.description.slice(0, longestRequest))}`}`,
    `It was called with: ${tool.args.length === 0 ? 'no arguments' : tool.args.map((name) => JSON.stringify(name)).join(', ')}`,
  ].join('\n')
}

function beside(told: readonly string[], why: string | undefined): string {
  const answers =
    told.length === 0 ? '' : `\nQuestions about it, and how a model that reads nothing else has answered them:\n${told.join('\n')}`
  return why === undefined ? answers : `${answers}\n${why} Ask with turnward__ask.`
}

function takeRound({ services, session, snapshot }: AttachedCall, most: number): Promise<boolean> {
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  return Promise.resolve(
    services.state.change('count', `questioner|${session.id}`, (rounds = 0) => {
      const fits = rounds < most
      return { value: fits ? rounds + 1 : rounds, expires, result: fits }
    }),
  )
}
