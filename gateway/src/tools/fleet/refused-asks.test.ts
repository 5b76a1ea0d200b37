import { describe, expect, test } from 'vitest'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { AskKind } from '../asks.ts'
import { RefusedAsks } from './refused-asks.ts'

const sampling = { method: 'sampling/createMessage', params: {} }
const elicitation = { method: 'elicitation/create', params: { mode: 'url' } }
const failed: JsonObject = { content: [], isError: true }

const asks = (declared: JsonObject, mayAsk: readonly AskKind[] = ['elicitation', 'sampling', 'roots']): RefusedAsks =>
  new RefusedAsks('s', mayAsk, declared)

describe('a legacy server that asks for what its client may not be asked', () => {
  test('is told so, and nothing of what may be asked', () => {
    const refused = asks({ elicitation: {} })
    expect(refused.answerTo({ method: 'elicitation/create', params: {} })).toBeUndefined()
    expect(refused.answerTo(sampling)).toMatchObject({ error: { code: -32601, message: expect.stringContaining('`sampling`') } })
    expect(asks({}).answerTo({ method: 'roots/list', params: {} })).toEqual({ result: { roots: [] } })
  })

  test.each([
    ['the tool fails', () => Promise.resolve(failed)],
    ['the request is refused', () => Promise.reject(new TurnwardError('mcp.refused', { subject: 's' }))],
  ])('ends with the missing capability when %s', async (_how, request) => {
    const refused = asks({ sampling: {}, elicitation: {} })
    refused.answerTo(elicitation)
    await expect(refused.outcome(request())).rejects.toMatchObject({
      code: 'mcp.missing_capability',
      subject: 's',
      details: { requiredCapabilities: { elicitation: { url: {} } } },
    })
  })

  test('may do without', async () => {
    const refused = asks({})
    refused.answerTo(sampling)
    expect(await refused.outcome(Promise.resolve({ content: [] }))).toEqual({ content: [] })
  })

  test('fails by itself where it asked for nothing, or for what the configuration keeps from it', async () => {
    expect(await asks({}).outcome(Promise.resolve(failed))).toBe(failed)
    const kept = asks({ sampling: {} }, [])
    expect(kept.offers).toBeUndefined()
    expect(kept.answerTo(sampling)).toMatchObject({ error: {} })
    expect(await kept.outcome(Promise.resolve(failed))).toBe(failed)
  })
})
