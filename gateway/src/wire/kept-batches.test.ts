/** Batches as two vendors' clients are told of them, in whatever state they are, and the lines that come out. */
import { describe, expect, test } from 'vitest'
import { dialectByName } from './dialects.ts'
import type { BatchResult, BatchState, KeptBatches } from './kept-batches.ts'

const openai = dialectByName['chat-completions'].batches as KeptBatches
const anthropic = dialectByName.messages.batches as KeptBatches

const none = { waiting: 0, ok: 0, error: 0, cancelled: 0, expired: 0 }
function batch(over: Partial<BatchState> = {}): BatchState {
  const asked = { id: 'b', endpoint: '/v1/embeddings', inputFile: 'f', metadata: null }
  const times = { created: 1_500_000, expires: 9_500_000, cancelled: null, ended: null }
  const end = { ending: null, outputFile: null, errorFile: null, problems: [] }
  return { ...asked, ...times, ...end, counts: { ...none, waiting: 3, ok: 1 }, ...over }
}

describe('a batch of OpenAI’s clients', () => {
  test.each<[string, Partial<BatchState>, object]>([
    ['in_progress', {}, { in_progress_at: 1500, expires_at: 9500, request_counts: { total: 4, completed: 1, failed: 0 } }],
    ['finalizing', { counts: { ...none, ok: 4 } }, { request_counts: { total: 4, completed: 4, failed: 0 } }],
    ['cancelling', { cancelled: 2_000_000 }, { cancelling_at: 2000, cancelled_at: null }],
    [
      'completed',
      { ended: 3_000_000, ending: 'completed', outputFile: 'o' },
      { completed_at: 3000, output_file_id: 'o', error_file_id: null },
    ],
    [
      'cancelled',
      { cancelled: 2_000_000, ended: 3_000_000, ending: 'cancelled', counts: { ...none, ok: 1, error: 1, cancelled: 2 } },
      { cancelled_at: 3000, request_counts: { total: 4, completed: 1, failed: 3 } },
    ],
    ['expired', { ended: 9_500_000, ending: 'expired' }, { expired_at: 9500, completed_at: null }],
    [
      'failed',
      { ended: 1_500_000, ending: 'failed', problems: [{ code: 'c', message: 'm', line: 2, param: null }] },
      { failed_at: 1500, in_progress_at: null, errors: { object: 'list', data: [{ code: 'c', message: 'm', line: 2, param: null }] } },
    ],
  ])('is %s', (status, over, shown) => {
    expect(openai.shown(batch(over), '')).toMatchObject({ object: 'batch', status, ...shown })
  })

  test('has lines of answers and of errors, each on one line', () => {
    const answer = { status: 200, call: 'mc_1', body: '{"a":9007199254740993}' }
    const line = (over: Partial<BatchResult>): string => openai.result({ id: '1', customId: 'x"\n', outcome: 'ok', answer, ...over })
    expect(line({})).toBe(
      '{"id":"batch_req_1","custom_id":"x\\"\\n","response":{"status_code":200,"request_id":"mc_1","body":{"a":9007199254740993}},"error":null}',
    )
    expect(JSON.parse(line({ outcome: 'expired', answer: null }))).toMatchObject({ response: null, error: { code: 'batch_expired' } })
    expect(JSON.parse(line({ outcome: 'cancelled', answer: null }))).toMatchObject({ response: null, error: { code: 'batch_cancelled' } })
  })
})

describe('a batch of Anthropic’s clients', () => {
  test.each<[string, Partial<BatchState>, object]>([
    ['in_progress', {}, { ended_at: null, results_url: null, request_counts: { processing: 3, succeeded: 1 } }],
    ['canceling', { cancelled: 2_000_000 }, { cancel_initiated_at: '1970-01-01T00:33:20.000Z' }],
    [
      'ended',
      { ended: 3_000_000, ending: 'expired', counts: { ...none, expired: 2 } },
      { ended_at: '1970-01-01T00:50:00.000Z', results_url: 'https://gw/v1/messages/batches/b/results', request_counts: { expired: 2 } },
    ],
  ])('is %s', (status, over, shown) => {
    expect(anthropic.shown(batch(over), 'https://gw')).toMatchObject({ type: 'message_batch', processing_status: status, ...shown })
  })

  test('has a line for whatever became of a request', () => {
    const line = (outcome: BatchResult['outcome'], body?: string): unknown =>
      JSON.parse(anthropic.result({ id: '1', customId: 'x', outcome, answer: body === undefined ? null : { status: 200, call: '', body } }))
    expect(line('ok', '{"type":"message"}')).toEqual({ custom_id: 'x', result: { type: 'succeeded', message: { type: 'message' } } })
    expect(line('error', '{"type":"error"}')).toEqual({ custom_id: 'x', result: { type: 'errored', error: { type: 'error' } } })
    expect(line('cancelled')).toEqual({ custom_id: 'x', result: { type: 'canceled' } })
    expect(line('expired')).toEqual({ custom_id: 'x', result: { type: 'expired' } })
  })
})

test.each([openai, anthropic])('a line whose answer would not come whole is none ($path)', ({ check }) => {
  for (const body of [{ stream: true }, { background: true }, { stream: 'yes' }]) expect(() => check(body)).toThrow('request')
  for (const body of [{}, { stream: false, background: null }]) expect(check(body)).toBeUndefined()
})
