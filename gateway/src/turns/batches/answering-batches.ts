/** Answers those who make batches, ask for them, cancel and delete them. Nobody learns of another caller's. */
import type { IncomingHttpHeaders } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import { allGuardedFields } from '../../wire/dialects.ts'
import type { BatchAsk, KeptBatches } from '../../wire/kept-batches.ts'
import { parseGuardedJson } from '../../wire/request/json-guard.ts'
import { findFile, type FileKeeper, type FoundFile } from '../files/file-store.ts'
import { answerCaller, type AskingCaller } from '../keeping/answering-caller.ts'
import { decoded, notThere, type KeptQuestion } from '../keeping/kept-questions.ts'
import { sendContent } from '../keeping/sending-content.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { Services } from '../services.ts'
import { beginBatch, listBatches, requireBatch, resultsOf, stateOf, type Batch, type BatchEnd, type BatchFacts } from './batch-store.ts'
import { problemsOf, readLines } from './reading-lines.ts'

interface Asked {
  readonly gateway: Services
  readonly keeper: AskingCaller
  readonly origin: CallOrigin
  readonly dialect: Dialect
  readonly forms: KeptBatches
  readonly id: string
  readonly query: URLSearchParams
  /** By which the client reaches the gateway. */
  readonly base: string
}

type Answers = Readonly<Record<string, (asked: Asked) => Promise<JsonObject | undefined>>>

/** What can be asked, by method and by what follows the id. */
const ofAll: Answers = { GET: list, POST: begin }
const ofOne: Readonly<Record<string, Answers>> = {
  '': { GET: async (asked) => shown(asked, await requireBatch(asked.keeper, asked.id)), DELETE: remove },
  cancel: { POST: cancel },
  results: { GET: send },
}

/** Never rejects. */
export function answerBatches(gateway: Services, origin: CallOrigin, dialect: Dialect, question: KeptQuestion): Promise<void> {
  return answerCaller(gateway, origin, dialect, async (keeper) => {
    const { method, target, query } = question
    const { batches: forms } = dialect
    if (forms === undefined) throw notThere(target)
    if (!keeper.snapshot.settings.files.keep)
      throw new TurnwardError('request.unsupported', {
        subject: forms.path,
        why: 'nothing is kept here (`files.keep`)',
        fix: 'Send the calls one by one.',
      })
    const [id = '', part = '', ...more] = target.split('/')
    const answers = id === '' ? ofAll : Object.hasOwn(ofOne, part) ? ofOne[part] : undefined
    if (answers === undefined || more.length > 0 || (part === 'results' && forms.results !== 'results')) throw notThere(target)
    const answer = method === 'HEAD' ? answers['GET'] : answers[method]
    if (answer === undefined) throw new TurnwardError('request.method', { subject: method })
    const base = baseOf(origin.headers)
    return answer({ gateway, keeper, origin, dialect, forms, id: decoded(id), query: new URLSearchParams(query), base })
  })
}

async function shown({ keeper, forms, base }: Asked, batch: Batch): Promise<JsonObject> {
  return forms.shown(await stateOf(keeper.services, batch), base)
}

async function begin(asked: Asked): Promise<JsonObject> {
  const { gateway, keeper, origin, dialect, forms } = asked
  const { limits, files, batches } = keeper.snapshot.settings
  const bytes = await origin.body({ ...limits, max_body_bytes: Math.max(limits.max_body_bytes, files.max_bytes) })
  // Its keys are those of all its lines; each line is held to the limits of a call when it runs.
  const guards = { maxDepth: limits.max_depth, maxKeys: Infinity, guardedFields: allGuardedFields }
  const ask = forms.ask(parseGuardedJson(bytes, guards))
  if (ask.lines.length > batches.max_lines) throw new TurnwardError('batch.too_long', { why: `more than ${batches.max_lines}` })
  const { endpoint, inputFile, metadata, outputTtlMs } = ask
  const { later, principal, consumer, actor } = keeper.caller
  const facts: BatchFacts = {
    id: `${forms.idPrefix}${randomText(32)}`,
    dialect: dialect.name,
    endpoint,
    inputFile,
    metadata,
    outputTtlMs,
    caller: { key: later, principal: principal.id, consumer, actor },
    headers: headersOf(origin.headers, forms.headers),
  }
  const batch = inputFile === null ? await beginBatch(keeper, facts, ask.lines) : await beginFromFile(asked, facts, ask)
  gateway.batches.look()
  return shown(asked, batch)
}

async function beginFromFile({ keeper, forms }: Asked, facts: BatchFacts, { endpoint, inputFile }: BatchAsk): Promise<Batch> {
  const file = await requireInput(keeper, inputFile ?? '')
  const reading = { keeper, file, forms, endpoint }
  const problems = await problemsOf(reading)
  return problems.length === 0 ? beginBatch(keeper, facts, readLines(reading)) : beginBatch(keeper, facts, [], failed(problems))
}

function failed(problems: BatchEnd['problems']): BatchEnd {
  const counts = { waiting: 0, ok: 0, error: 0, cancelled: 0, expired: 0 }
  return { ending: 'failed', counts, outputFile: null, errorFile: null, problems }
}

async function requireInput(keeper: FileKeeper, id: string): Promise<FoundFile> {
  const file = await findFile(keeper, id)
  if (file === undefined) throw new TurnwardError('file.not_found', { status: 400, subject: 'input_file_id' })
  if (file.purpose !== 'batch')
    throw new TurnwardError('request.invalid', {
      subject: 'input_file_id',
      why: `the purpose of the file is \`${file.purpose}\``,
      fix: 'Upload it with `purpose: batch`.',
    })
  return file
}

async function list({ keeper, forms, query, base }: Asked): Promise<JsonObject> {
  const all = (await listBatches(keeper)).filter(({ id }) => id.startsWith(forms.idPrefix))
  const { items, hasMore } = forms.choose(all, query)
  return forms.list({ states: await Promise.all(items.map((batch) => stateOf(keeper.services, batch))), hasMore }, base)
}

async function cancel(asked: Asked): Promise<JsonObject> {
  const { gateway, keeper, id } = asked
  const { key } = await requireBatch(keeper, id)
  await keeper.services.store.batches.cancel(key, keeper.services.clock.now())
  gateway.batches.look()
  return shown(asked, await requireBatch(keeper, id))
}

async function remove({ keeper, forms, id }: Asked): Promise<JsonObject> {
  const { key, ended } = await requireBatch(keeper, id)
  if (ended === null) throw new TurnwardError('batch.not_over')
  await keeper.services.store.batches.remove(key)
  return forms.deleted(id)
}

async function send({ keeper, origin, forms, id }: Asked): Promise<undefined> {
  const batch = await requireBatch(keeper, id)
  if (batch.ended === null) throw new TurnwardError('batch.not_over')
  const lines = async function* (): AsyncGenerator<string> {
    for await (const result of resultsOf(keeper.services, batch)) yield `${forms.result(result)}\n`
  }
  await sendContent(origin, { 'content-type': 'application/x-jsonl', 'x-content-type-options': 'nosniff' }, lines())
}

function headersOf(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

const hostForm = /^[\w.-]+(?::\d{1,5})?$|^\[[0-9a-fA-F:.]+\](?::\d{1,5})?$/

/** Said by the client, or by an edge in front of us, and told to nobody else. */
function baseOf(headers: IncomingHttpHeaders): string {
  const first = (name: string): string =>
    String(headers[name] ?? '')
      .split(',', 1)[0]
      ?.trim() ?? ''
  const host = [first('x-forwarded-host'), first('host')].find((one) => hostForm.test(one))
  return host === undefined ? '' : `${first('x-forwarded-proto') === 'https' ? 'https' : 'http'}://${host}`
}
