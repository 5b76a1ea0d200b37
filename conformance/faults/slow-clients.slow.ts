/** A thousand slow clients at once. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { GovernedGateway } from '../harness/governed-gateway.ts'
import { askSlowly, readNothing, slowRequests, startPatientGateway } from './slow-client-suite.ts'

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startPatientGateway(1024)
})
afterAll(() => governed?.close())

test.each(Object.entries(slowRequests))('1000 clients that %s', async (way, slowness) => {
  console.log(`1000 clients that ${way} were ended after ${Math.round(await askSlowly(governed, slowness, 1000))} ms`)
})

test('1000 clients that read nothing', async () => {
  const grown = await readNothing(governed, 1000)
  console.log(`1000 clients that read nothing: the gateway grew by ${Math.round(grown)} MB`)
  expect(grown).toBeLessThan(600)
})
