/** Reads the lines of a batch out of the file its caller has brought. */
import { TurnwardError } from '../../core/error.ts'
import { allGuardedFields } from '../../wire/dialects.ts'
import type { BatchLine, BatchProblem, KeptBatches } from '../../wire/kept-batches.ts'
import { parseGuardedJson } from '../../wire/request/json-guard.ts'
import { readFile, type FileKeeper, type FoundFile } from '../files/file-store.ts'

/** More are not told of. */
const mostProblems = 100

export interface LinesToRead {
  readonly keeper: FileKeeper
  readonly file: FoundFile
  readonly forms: KeptBatches
  readonly endpoint: string
}

/** What is wrong with the file; empty when every line can run. Throws `batch.too_long`. */
export async function problemsOf(reading: LinesToRead): Promise<readonly BatchProblem[]> {
  const { max_lines: most } = reading.keeper.snapshot.settings.batches
  const problems: BatchProblem[] = []
  const seen = new Set<string>()
  let count = 0
  for await (const [line, read] of linesOf(reading)) {
    // Empty ones before it count as well: reading them is work.
    if (line > most) throw new TurnwardError('batch.too_long', { why: `more than ${most}` })
    count += 1
    if ('code' in read) problems.push({ ...read, line })
    else if (seen.has(read.customId))
      problems.push({ code: 'duplicate_custom_id', param: 'custom_id', line, message: 'another line of the file has this `custom_id`' })
    else seen.add(read.customId)
    if (problems.length >= mostProblems) return problems
  }
  return count > 0 ? problems : [{ code: 'empty_file', param: 'input_file_id', line: null, message: 'the file has no lines' }]
}

/** The lines of a file that has no problems. */
export async function* readLines(reading: LinesToRead): AsyncGenerator<BatchLine> {
  for await (const [, read] of linesOf(reading)) if (!('code' in read)) yield read
}

async function* linesOf({ keeper, file, forms, endpoint }: LinesToRead): AsyncGenerator<[number, BatchLine | Omit<BatchProblem, 'line'>]> {
  const { limits } = keeper.snapshot.settings
  const guards = { maxDepth: limits.max_depth, maxKeys: limits.max_keys, guardedFields: allGuardedFields }
  const { max_lines: most } = keeper.snapshot.settings.batches
  let number = 0
  for await (const bytes of splitLines(readFile(keeper, file))) {
    number += 1
    if (isBlank(bytes) && number <= most) continue
    yield [number, readLine(bytes, forms, endpoint, guards, limits.max_body_bytes)]
  }
}

function readLine(
  bytes: Buffer,
  forms: KeptBatches,
  endpoint: string,
  guards: Parameters<typeof parseGuardedJson>[1],
  most: number,
): BatchLine | Omit<BatchProblem, 'line'> {
  try {
    if (bytes.length > most) throw new TurnwardError('request.too_large', { why: `more than ${most} bytes` })
    return forms.line(parseGuardedJson(bytes, guards), endpoint)
  } catch (error) {
    if (!(error instanceof TurnwardError)) throw error
    return { code: 'invalid_json_line', param: null, message: error.message }
  }
}

const newLine = 0x0a

async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(newLine); end >= 0; end = chunk.indexOf(newLine, start)) {
      yield Buffer.concat([...begun, chunk.subarray(start, end)])
      begun = []
      start = end + 1
    }
    if (start < chunk.length) begun.push(chunk.subarray(start))
  }
  if (begun.length > 0) yield Buffer.concat(begun)
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}
