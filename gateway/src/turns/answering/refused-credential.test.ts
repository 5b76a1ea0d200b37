/** A provider that refuses our credential: the caller, whose own key was fine, must not be told that it was not. */
import { describe, expect, test } from 'vitest'
import { vendorError } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import { keys, openFloors } from '../../invariants/floors.fixture.ts'
import { vendorConfig, vendorSecret, wires } from '../../invariants/vendors.fixture.ts'

describe.each(wires)('$path, stream: $stream', ({ kind, path, stream }) => {
  const body = { model: 'm', max_tokens: 10, stream, messages: [{ role: 'user', content: 'go' }] }

  test.each([401, 403])('an upstream that answers %i is our failure, without its words', async (status) => {
    await using vendor = await startVendor((request) => vendorError(request, status, `Incorrect API key provided: ${vendorSecret}`))
    await using floors = await openFloors({ config: vendorConfig(kind, vendor.url) })
    const answer = await post(`${floors.url}${path}`, keys.alice, body)
    expect(answer.status).toBe(502)
    expect(answer.text).toContain('the credential team was refused')
    expect(answer.text).not.toMatch(/Incorrect|sk-vendor/)
    expect(answer.headers['www-authenticate']).toBeUndefined()
  })

  test.each([400, 404, 429, 529])('an upstream that answers %i of the one route there is speaks for itself', async (status) => {
    await using vendor = await startVendor((request) => vendorError(request, status, 'In the words of the vendor.'))
    await using floors = await openFloors({ config: vendorConfig(kind, vendor.url) })
    const answer = await post(`${floors.url}${path}`, keys.alice, body)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain('In the words of the vendor.')
  })
})
