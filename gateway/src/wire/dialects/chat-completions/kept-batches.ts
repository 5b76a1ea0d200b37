/** Batches as OpenAI's clients ask for them: from a file of lines to a file of answers and a file of errors. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { BatchAsk, BatchLine, BatchProblem, BatchResult, BatchState, KeptBatches } from '../../kept-batches.ts'
import { longestCustomId, requireWholeAnswer } from '../../request/batch-lines.ts'
import { invalid, isAbsent, requireName, requireObject, unsupported } from '../../request/fields.ts'
import { limitIn, pageBehind } from '../../request/pages.ts'

const endpoints: readonly string[] = ['/v1/chat/completions', '/v1/responses', '/v1/embeddings', '/v1/completions', '/v1/moderations']
const mostMetadata = 16
const listed = { usual: 20, highest: 100 }

export const keptBatches: KeptBatches = {
  path: '/v1/batches',
  idPrefix: 'batch_',
  headers: ['openai-organization', 'openai-project'],
  results: 'files',
  ask(body): BatchAsk {
    const endpoint = requireName(body.endpoint, 'endpoint')
    if (!endpoints.includes(endpoint)) throw unsupported('endpoint', `it is none of ${endpoints.join(', ')}`)
    if (body.completion_window !== '24h') throw invalid('completion_window', 'it must be `24h`')
    return {
      endpoint,
      inputFile: requireName(body.input_file_id, 'input_file_id'),
      lines: [],
      metadata: isAbsent(body.metadata) ? null : readMetadata(requireObject(body.metadata, 'metadata')),
      outputTtlMs: isAbsent(body.output_expires_after) ? null : readTtl(requireObject(body.output_expires_after, 'output_expires_after')),
    }
  },
  line({ custom_id: customId, method, url, body }, endpoint): BatchLine | Omit<BatchProblem, 'line'> {
    if (typeof customId !== 'string' || customId === '' || customId.length > longestCustomId)
      return problem('missing_required_parameter', 'custom_id', `it must be a text of up to ${longestCustomId} characters`)
    if (method !== 'POST') return problem('invalid_method', 'method', 'it must be `POST`')
    if (url !== endpoint) return problem('invalid_url', 'url', `it must be the endpoint of the batch, ${endpoint}`)
    if (!isObject(body)) return problem('missing_required_parameter', 'body', 'it must be an object')
    return { customId, body }
  },
  check: requireWholeAnswer,
  shown,
  choose: (all, query) => pageBehind(all, limitIn(query, listed), query.get('after'), 'after'),
  list: ({ states, hasMore }) => ({
    object: 'list',
    data: states.map(shown),
    first_id: states[0]?.id ?? null,
    last_id: states.at(-1)?.id ?? null,
    has_more: hasMore,
  }),
  deleted: (id) => ({ id, object: 'batch', deleted: true }),
  result,
}

function problem(code: string, param: string, why: string): Omit<BatchProblem, 'line'> {
  return { code, param, message: `\`${param}\`: ${why}` }
}

function readMetadata(metadata: JsonObject): JsonObject {
  const entries = Object.entries(metadata)
  const isRight = entries.every(([key, value]) => key.length <= 64 && typeof value === 'string' && value.length <= 512)
  if (entries.length > mostMetadata || !isRight)
    throw invalid('metadata', `it must be up to ${mostMetadata} texts of up to 512 characters, under keys of up to 64`)
  return metadata
}

function readTtl({ anchor, seconds }: JsonObject): number {
  if (anchor !== 'created_at') throw invalid('output_expires_after.anchor', 'it must be `created_at`')
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 3600 || seconds > 2_592_000)
    throw invalid('output_expires_after.seconds', 'it must be 3600 to 2592000')
  return seconds * 1000
}

function statusOf({ ended, ending, cancelled, counts }: BatchState): string {
  if (ended !== null) return ending ?? 'completed'
  if (cancelled !== null) return 'cancelling'
  return counts.waiting === 0 ? 'finalizing' : 'in_progress'
}

const seconds = (milliseconds: number | null): number | null => (milliseconds === null ? null : Math.floor(milliseconds / 1000))

function shown(state: BatchState): JsonObject {
  const { counts, created, ended, ending, problems } = state
  const failed = counts.error + counts.cancelled + counts.expired
  const endedAs = (which: BatchState['ending']): number | null => (ending === which ? seconds(ended) : null)
  return {
    id: state.id,
    object: 'batch',
    endpoint: state.endpoint,
    errors: problems.length === 0 ? null : { object: 'list', data: problems.map((one) => ({ ...one })) },
    input_file_id: state.inputFile ?? '',
    completion_window: '24h',
    status: statusOf(state),
    output_file_id: state.outputFile,
    error_file_id: state.errorFile,
    created_at: seconds(created),
    in_progress_at: ending === 'failed' ? null : seconds(created),
    expires_at: seconds(state.expires),
    finalizing_at: ending === 'completed' ? seconds(ended) : null,
    completed_at: endedAs('completed'),
    failed_at: endedAs('failed'),
    expired_at: endedAs('expired'),
    cancelling_at: seconds(state.cancelled),
    cancelled_at: endedAs('cancelled'),
    request_counts: { total: counts.waiting + counts.ok + failed, completed: counts.ok, failed },
    metadata: state.metadata,
  }
}

/** Why a line has not run, in the vendor's codes. */
const unrun = {
  cancelled: { code: 'batch_cancelled', message: 'The batch was cancelled before this line was run.' },
  expired: { code: 'batch_expired', message: 'The time of the batch was over before this line was run.' },
} as const

function result({ id, customId, outcome, answer }: BatchResult): string {
  const head = `{"id":${JSON.stringify(`batch_req_${id}`)},"custom_id":${JSON.stringify(customId)}`
  if (answer === null) {
    const error = unrun[outcome === 'expired' ? 'expired' : 'cancelled']
    return `${head},"response":null,"error":${JSON.stringify(error)}}`
  }
  return `${head},"response":{"status_code":${answer.status},"request_id":${JSON.stringify(answer.call)},"body":${answer.body}},"error":null}`
}
