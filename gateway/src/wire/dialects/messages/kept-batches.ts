/** Batches as Anthropic's clients ask for them: lines come with the request, and results are read below the batch. */
import { asText, type JsonObject } from '../../../core/json.ts'
import type { BatchAsk, BatchResult, BatchState, KeptBatches } from '../../kept-batches.ts'
import { requireWholeAnswer } from '../../request/batch-lines.ts'
import { invalid, requireObject, requireObjects } from '../../request/fields.ts'
import { limitIn, pageBefore, pageBehind } from '../../request/pages.ts'
import { paths } from './paths.ts'

const path = '/v1/messages/batches'
const customIdForm = /^[a-zA-Z0-9_-]{1,64}$/
const listed = { usual: 20, highest: 1000 }

export const keptBatches: KeptBatches = {
  path,
  idPrefix: 'msgbatch_',
  headers: ['anthropic-version', 'anthropic-beta'],
  results: 'results',
  ask({ requests }): BatchAsk {
    const asked = requireObjects(requests, 'requests')
    if (asked.length === 0) throw invalid('requests', 'it is empty')
    const seen = new Set<string>()
    const lines = asked.map(({ custom_id: given, params }, index) => {
      const customId = asText(given)
      const at = `requests[${index}].custom_id`
      if (!customIdForm.test(customId)) throw invalid(at, 'use 1-64 letters, digits, `_` or `-`')
      if (seen.has(customId)) throw invalid(at, 'another request has it')
      seen.add(customId)
      return { customId, body: requireObject(params, `requests[${index}].params`) }
    })
    return { endpoint: paths.call, inputFile: null, lines, metadata: null, outputTtlMs: null }
  },
  line: () => ({ code: 'invalid_request', message: 'lines come with the request', param: null }),
  check: requireWholeAnswer,
  shown,
  choose(all, query) {
    const limit = limitIn(query, listed)
    const before = query.get('before_id')
    return before === null ? pageBehind(all, limit, query.get('after_id'), 'after_id') : pageBefore(all, limit, before, 'before_id')
  },
  list: ({ states, hasMore }, base) => ({
    data: states.map((state) => shown(state, base)),
    first_id: states[0]?.id ?? null,
    last_id: states.at(-1)?.id ?? null,
    has_more: hasMore,
  }),
  deleted: (id) => ({ id, type: 'message_batch_deleted' }),
  result,
}

const time = (milliseconds: number | null): string | null => (milliseconds === null ? null : new Date(milliseconds).toISOString())

function shown({ id, created, expires, cancelled, ended, counts }: BatchState, base: string): JsonObject {
  return {
    id,
    type: 'message_batch',
    processing_status: ended !== null ? 'ended' : cancelled !== null ? 'canceling' : 'in_progress',
    request_counts: {
      processing: counts.waiting,
      succeeded: counts.ok,
      errored: counts.error,
      canceled: counts.cancelled,
      expired: counts.expired,
    },
    created_at: time(created),
    expires_at: time(expires),
    ended_at: time(ended),
    cancel_initiated_at: time(cancelled),
    archived_at: null,
    results_url: ended === null ? null : `${base}${path}/${id}/results`,
  }
}

function result({ customId, outcome, answer }: BatchResult): string {
  const head = `{"custom_id":${JSON.stringify(customId)},"result":`
  if (answer === null) return `${head}{"type":"${outcome === 'expired' ? 'expired' : 'canceled'}"}}`
  if (outcome === 'ok') return `${head}{"type":"succeeded","message":${answer.body}}}`
  return `${head}{"type":"errored","error":${answer.body}}}`
}
