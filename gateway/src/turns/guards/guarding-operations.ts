/** Operations that are no conversation go past the guards too: what is asked, and what is answered in words. What is sound or a picture nobody here reads. */
import type { Route } from '../../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { ShownText } from '../../wire/dialect.ts'
import { objectsOf } from '../../wire/request/fields.ts'
import { type Reading, readTexts, type RequestText } from '../../wire/request/request-texts.ts'
import type { OperationBody } from '../operations/opening-way.ts'
import type { OperationCall } from '../recording/recording-operation.ts'
import { guardBody } from './guarding-input.ts'
import { GuardedEvents, type GuardedEventsOptions } from './guarded-events.ts'
import { type GuardedCall, GuardsOfCall } from './guards-of-call.ts'
import { lookAtAnswer } from './looking-at-answers.ts'
import { type TextUnit, TextUnits } from './text-units.ts'

/** The body as it may be sent. Throws `guard.*`, which is on record then. */
export async function guardOperation(
  call: OperationCall,
  origin: GuardedCall['origin'],
  route: Pick<Route, 'guards'>,
  body: OperationBody,
): Promise<OperationBody> {
  const guards = (call.guards = GuardsOfCall.of({ ...call, origin, recordedAs: 'model_operation' }, route))
  if (guards === undefined || guards.input.length === 0) return body
  const { json, texts = [] } = body
  // What stands in a form beside its files cannot be written otherwise.
  const beside = texts.map((text): TextUnit => ({ place: 'user', text, isFixed: true }))
  guards.look('input', beside)
  await guards.examine('input', beside)
  guards.lookAtWhole('input', beside)
  if (json === undefined || !(await guardBody(guards, json, textsOfOperation))) return body
  return { ...body, as: (model) => ({ bytes: Buffer.from(JSON.stringify({ ...json, model })), contentType: 'application/json' }) }
}

/** Nobody hears a realtime session: where a guard should look, there is none. Throws `guard.refused`, which is on record then. */
export function refuseUnheard(call: OperationCall, origin: GuardedCall['origin'], route: Pick<Route, 'guards'>): void {
  const guards = GuardsOfCall.of({ ...call, origin, recordedAs: 'model_operation' }, route)
  const [guard] = [...(guards?.input ?? []), ...(guards?.output ?? [])]
  if (guards === undefined || guard === undefined) return
  throw guards.refuse(guard, 'input', [{ start: 0, end: 0, what: 'a realtime session, which guards do not hear', instead: '' }])
}

const asked: Reading = { part: 'user' }
/** Where operations have what is asked. */
const askedFields = [
  'input',
  'inputs',
  'prompt',
  'query',
  'documents',
  'texts',
  'instructions',
  'content',
  'contents',
  'requests',
  'suffix',
]
const fields = { model: 'skip', ...Object.fromEntries(askedFields.map((name) => [name, asked])) } as const

function textsOfOperation(body: JsonObject): readonly RequestText[] {
  return readTexts(body, { fields, object: (_value, reading) => ({ reading }) })
}

/** Where it goes, and what is told of it meanwhile. */
type GuardedWays = Pick<GuardedEventsOptions, 'push' | 'pause' | 'resume' | 'fail'>

/** What an answer goes through on its way out. */
export interface GuardedRelay {
  push(bytes: Buffer): void
  end(): Promise<void>
}

/** Undefined where nothing looks at the answer. */
export function guardedRelay(call: OperationCall, contentType: string, ways: GuardedWays): GuardedRelay | undefined {
  const { guards, services, snapshot } = call
  if (guards === undefined || !guards.looksAtAnswer) return undefined
  const now = (): number => services.clock.monotonic()
  const { max_event_bytes: maxEventBytes } = snapshot.settings.limits
  if (/^text\/event-stream\b/i.test(contentType))
    return new GuardedEvents({ shownTexts: textsOfEvent, carriedTexts: () => [] }, guards, {
      maxEventBytes,
      holdsAll: guards.holdsAnswer,
      ...ways,
      now,
    })
  if (!/^(?:text\/|application\/(?:[\w.+-]*json|x-ndjson|x-subrip))/i.test(contentType)) return undefined
  const chunks: Buffer[] = []
  return {
    push(bytes) {
      chunks.push(bytes)
    },
    end: async () => ways.push(await guardText(guards, Buffer.concat(chunks), /json/i.test(contentType))),
  }
}

async function guardText(guards: GuardsOfCall, bytes: Buffer, isJson: boolean): Promise<Buffer> {
  const holder = { text: bytes.toString('utf8') }
  const body = isJson ? parsed(bytes) : undefined
  const units = new TextUnits()
  if (body === undefined) units.add('answer', holder, 'text')
  else for (const { holder: place, field, isFixed } of wordsOf(body)) units.add('answer', place, field, isFixed)
  await lookAtAnswer(guards, units.units)
  guards.lookAtWhole('output', units.units)
  if (!units.isEdited) return bytes
  units.write()
  return Buffer.from(body === undefined ? holder.text : JSON.stringify(body))
}

function parsed(bytes: Buffer): JsonObject {
  try {
    const body = parseJson(bytes.toString('utf8'))
    if (isObject(body)) return body
  } catch (error) {
    throw new TurnwardError('upstream.malformed', { why: 'its answer is no JSON', cause: asTurnwardError(error) })
  }
  throw new TurnwardError('upstream.malformed', { why: 'its answer is no JSON object' })
}

function wordsOf(body: JsonObject): readonly RequestText[] {
  const said = Object.fromEntries(Object.keys(body).map((field): [string, Reading] => [field, { part: 'assistant' }]))
  return readTexts(body, { fields: { ...said, model: 'skip', id: 'skip', object: 'skip' }, object: (_value, reading) => ({ reading }) })
}

/** Words in an event of completions, transcriptions and translations. */
function textsOfEvent(payload: JsonObject): readonly ShownText[] {
  const said = objectsOf(payload.choices).flatMap((choice, at): ShownText[] =>
    typeof choice.text === 'string' ? [{ lane: `${Number(choice.index ?? at)}`, holder: choice, field: 'text' }] : [],
  )
  if (typeof payload.delta === 'string') said.push({ lane: 'delta', holder: payload, field: 'delta' })
  if (typeof payload.text === 'string') said.push({ lane: '', isWhole: true, holder: payload, field: 'text' })
  return said
}
