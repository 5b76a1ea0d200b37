/**
 * Batches as they are kept: sealed, each part bound to its place, found again by nobody but their callers. They are in the
 * store, beside files and for the same reasons (`files/file-store.ts`); who works on one is said in the shared state.
 */
import { hkdfSync } from 'node:crypto'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import type { JsonObject } from '../../core/json.ts'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'
import type { NewLine, StoredBatch, WaitingLine } from '../../store/batches.ts'
import type { DialectName } from '../../wire/dialect.ts'
import type { BatchCounts, BatchEnding, BatchLine, BatchProblem, BatchResult, BatchState } from '../../wire/kept-batches.ts'
import type { FileKeeper } from '../files/file-store.ts'
import { keyOf, ownerOf } from '../keeping/keeper.ts'
import type { Services } from '../services.ts'

type Kept = Pick<Services, 'secret' | 'store' | 'clock'>

/** A batch as it was asked for. */
export interface BatchFacts {
  readonly id: string
  readonly dialect: DialectName
  readonly endpoint: string
  readonly inputFile: string | null
  readonly metadata: JsonObject | null
  readonly outputTtlMs: number | null
  /** On whose behalf its lines run: the id of a key, and who it stood for. */
  /** `key`: `later` of the caller. */
  readonly caller: { readonly key: string; readonly principal: string; readonly consumer: string | null; readonly actor: string | null }
  /** Headers of the request that go with each call. */
  readonly headers: Readonly<Record<string, string>>
}

/** What came of a batch. */
export interface BatchEnd {
  readonly ending: BatchEnding
  readonly counts: BatchCounts
  readonly outputFile: string | null
  readonly errorFile: string | null
  readonly problems: readonly BatchProblem[]
}

export interface Batch extends BatchFacts, Pick<StoredBatch, 'key' | 'created' | 'expires' | 'cancelled' | 'ended'> {
  readonly end: BatchEnd | null
}

/** Begins a batch; `end` for one that is over with that. Throws `batch.too_many`. */
export async function beginBatch(
  keeper: FileKeeper,
  facts: BatchFacts,
  lines: AsyncIterable<BatchLine> | Iterable<BatchLine>,
  end: BatchEnd | null = null,
): Promise<Batch> {
  const { services, snapshot } = keeper
  const { batches, files } = snapshot.settings
  const key = keyOf(keeper, 'batch', facts.id)
  const created = services.clock.now()
  const expires = created + batches.window_ms
  const stored: StoredBatch = {
    key,
    owner: ownerOf(keeper),
    facts: seal(services, `${key}|facts`, JSON.stringify(facts)),
    created,
    expires,
    forgotten: expires + files.ttl_ms,
    cancelled: null,
    ended: end === null ? null : created,
    end: end === null ? null : seal(services, `${key}|end`, JSON.stringify(end)),
  }
  const bounds = { open: batches.max_open, kept: batches.max_kept }
  const isKept = await services.store.batches.begin(stored, sealedLines(services, key, lines), bounds).catch(async (error: unknown) => {
    // Half of it is nothing, and takes no room.
    await services.store.batches.remove(key).catch(() => {})
    throw error
  })
  if (!isKept) throw new TurnwardError('batch.too_many')
  return { ...facts, ...stored, end }
}

async function* sealedLines(services: Kept, key: string, lines: AsyncIterable<BatchLine> | Iterable<BatchLine>): AsyncGenerator<NewLine> {
  let line = 0
  for await (const { customId, body } of lines) {
    line += 1
    yield {
      name: seal(services, `${key}|${line}|name`, customId),
      request: seal(services, `${key}|${line}|request`, JSON.stringify(body)),
    }
  }
}

/** The batch the caller knows by this id. Throws `batch.not_found`. */
export async function requireBatch(keeper: FileKeeper, id: string): Promise<Batch> {
  const { services } = keeper
  const stored = await services.store.batches.find(keyOf(keeper, 'batch', id), services.clock.now())
  const batch = stored === undefined ? undefined : openBatch(services, stored)
  if (batch === undefined) throw new TurnwardError('batch.not_found')
  return batch
}

/** All batches of the caller, newest first. */
export async function listBatches(keeper: FileKeeper): Promise<readonly Batch[]> {
  const { services } = keeper
  const stored = await services.store.batches.list(ownerOf(keeper), services.clock.now())
  return stored.map((one) => openBatch(services, one)).filter((batch) => batch !== undefined)
}

/** Undefined for one that was sealed elsewhere. */
export function openBatch(services: Kept, stored: StoredBatch): Batch | undefined {
  const { key, created, expires, cancelled, ended } = stored
  const facts = open(services, `${key}|facts`, stored.facts)
  const end = stored.end === null ? null : open(services, `${key}|end`, stored.end)
  if (facts === undefined || end === undefined) return undefined
  return {
    ...(JSON.parse(facts) as BatchFacts),
    key,
    created,
    expires,
    cancelled,
    ended,
    end: end === null ? null : (JSON.parse(end) as BatchEnd),
  }
}

/** What its clients are told of it. */
export async function stateOf({ store }: Kept, batch: Batch): Promise<BatchState> {
  const { end } = batch
  const counts = end?.counts ?? (await store.batches.counts(batch.key))
  const { outputFile = null, errorFile = null, problems = [], ending = null } = end ?? {}
  return { ...batch, counts, outputFile, errorFile, problems, ending }
}

/** Notes how it has ended. False when it had already. */
export function noteEnd(services: Kept, { key }: Batch, end: BatchEnd): Promise<boolean> {
  return services.store.batches.finish(key, services.clock.now(), seal(services, `${key}|end`, JSON.stringify(end)))
}

export interface OpenLine {
  readonly line: number
  readonly customId: string
  /** JSON text. */
  readonly body: string
}

/** What is asked in a line. Throws `store.failed` for one that was not written here. */
export function openLine(services: Kept, { key }: Batch, { line, name, request }: WaitingLine): OpenLine {
  const customId = open(services, `${key}|${line}|name`, name)
  const body = open(services, `${key}|${line}|request`, request)
  if (customId === undefined || body === undefined) throw new TurnwardError('store.failed', { subject: 'a line of a batch' })
  return { line, customId, body }
}

/** Notes what came of a line that has run. */
export function noteAnswer(
  services: Kept,
  { key }: Batch,
  line: number,
  outcome: 'ok' | 'error',
  answer: NonNullable<BatchResult['answer']>,
): Promise<boolean> {
  return services.store.batches.finishLine(key, line, outcome, seal(services, `${key}|${line}|result`, JSON.stringify(answer)))
}

const linesAtOnce = 20

/** What came of its lines, in their order. */
export async function* resultsOf(services: Kept, { key }: Batch): AsyncGenerator<BatchResult> {
  let after = 0
  for (;;) {
    const page = await services.store.batches.done(key, after, linesAtOnce)
    if (page.length === 0) return
    for (const { line, name, outcome, result } of page) {
      const customId = open(services, `${key}|${line}|name`, name)
      const answer = result === null ? null : open(services, `${key}|${line}|result`, result)
      if (customId === undefined || answer === undefined) throw new TurnwardError('store.failed', { subject: 'a line of a batch' })
      const id = sha256(`${key}|${line}`).slice(0, 32)
      yield { id, customId, outcome, answer: answer === null ? null : (JSON.parse(answer) as BatchResult['answer']) }
      after = line
    }
  }
}

function seal({ secret }: Pick<Kept, 'secret'>, place: string, text: string): string {
  return sealBytes(sealingKey(secret), Buffer.from(place), Buffer.from(text))
}

function open({ secret }: Pick<Kept, 'secret'>, place: string, sealed: string): string | undefined {
  return openBytes(sealingKey(secret), Buffer.from(place), sealed)?.toString('utf8')
}

const sealingKeys = new WeakMap<Buffer, Buffer>()

function sealingKey(secret: Buffer): Buffer {
  let key = sealingKeys.get(secret)
  if (key === undefined) {
    key = Buffer.from(hkdfSync('sha256', secret, 'turnward', 'kept batches v1', 32))
    sealingKeys.set(secret, key)
  }
  return key
}
