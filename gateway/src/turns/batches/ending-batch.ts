/** The end of a batch: nothing runs any more, and what came of its lines is put where its client looks for it. */
import { keyedHash } from '../../core/hash.ts'
import { dialectByName } from '../../wire/dialects.ts'
import type { BatchEnding, BatchResult, KeptBatches } from '../../wire/kept-batches.ts'
import { keepMadeFile, type FileKeeper } from '../files/file-store.ts'
import type { Services } from '../services.ts'
import { noteEnd, resultsOf, type Batch } from './batch-store.ts'

/** Whoever comes to the end of one whose maker has died on the way does the same again. */
export async function endBatch(services: Services, batch: Batch, ending: Exclude<BatchEnding, 'failed'>): Promise<void> {
  const { batches } = services.store
  if (ending !== 'completed') await batches.finishWaiting(batch.key, ending)
  const counts = await batches.counts(batch.key)
  const forms = dialectByName[batch.dialect].batches
  if (forms?.results !== 'files') {
    await noteEnd(services, batch, { ending, counts, outputFile: null, errorFile: null, problems: [] })
    return
  }
  const outputFile = counts.ok === 0 ? null : await writeFile(services, batch, forms, 'output')
  const hasErrors = counts.error + counts.cancelled + counts.expired > 0
  const errorFile = hasErrors ? await writeFile(services, batch, forms, 'error') : null
  await noteEnd(services, batch, { ending, counts, outputFile, errorFile, problems: [] })
  await batches.removeLines(batch.key)
}

/** Resolves with the id of the file. */
async function writeFile(services: Services, batch: Batch, forms: KeptBatches, which: 'output' | 'error'): Promise<string> {
  const { principal, consumer, actor } = batch.caller
  const keeper: FileKeeper = { services, snapshot: services.snapshot(), caller: { principal: { id: principal }, consumer, actor } }
  const prefix = dialectByName[batch.dialect].files?.idPrefix ?? ''
  // The same however often it is written.
  const id = `${prefix}${keyedHash(services.secret, 'batch file', batch.key, which)
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, 24)}`
  const file = {
    id,
    name: `${batch.id}_${which}.jsonl`,
    purpose: 'batch_output',
    mediaType: 'application/jsonl',
    ttlMs: batch.outputTtlMs ?? undefined,
  }
  await keepMadeFile(
    keeper,
    file,
    linesOf(services, batch, forms, ({ outcome }) => (outcome === 'ok') === (which === 'output')),
  )
  return id
}

async function* linesOf(
  services: Services,
  batch: Batch,
  forms: KeptBatches,
  belongs: (result: BatchResult) => boolean,
): AsyncGenerator<Buffer> {
  for await (const result of resultsOf(services, batch)) if (belongs(result)) yield Buffer.from(`${forms.result(result)}\n`)
}
